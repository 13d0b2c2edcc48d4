package io.farblock.daemon;

import io.farblock.api.node.DeviceRecord;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the daemon knows about its devices, one file each, for the daemon that comes after it.
 *
 * <p>The directory is on a file system that a reboot of the host empties, as a reboot removes the devices. A file is
 * replaced whole. Any thread.
 */
final class DeviceRecords {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceRecords.class);

    private final Path directory;

    DeviceRecords(Path directory) throws IOException {
        this.directory = directory;
        Files.createDirectories(directory);
    }

    synchronized void save(String name, DeviceRecord record) throws IOException {
        // No device's name begins with a dot.
        Path temporary = directory.resolve("." + name);
        Files.write(temporary, record.toByteArray());
        Files.move(temporary, directory.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    /** Changes a record, if there is one. */
    synchronized void update(String name, UnaryOperator<DeviceRecord> change) throws IOException {
        try {
            DeviceRecord before = DeviceRecord.parseFrom(Files.readAllBytes(directory.resolve(name)));
            DeviceRecord after = change.apply(before);
            if (!after.equals(before)) {
                save(name, after);
            }
        } catch (NoSuchFileException e) {
            LOG.debug("{} was removed before its record changed", name);
        }
    }

    /** A device's record, or null if there is none. */
    synchronized DeviceRecord find(String name) throws IOException {
        Path file = directory.resolve(name);
        return Files.exists(file) ? DeviceRecord.parseFrom(Files.readAllBytes(file)) : null;
    }

    synchronized void remove(String name) throws IOException {
        Files.deleteIfExists(directory.resolve(name));
    }

    /** Every record that can be read; one that cannot is left where it is, and named in the log. */
    synchronized Map<String, DeviceRecord> all() throws IOException {
        Map<String, DeviceRecord> records = new TreeMap<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (!name.startsWith(".")) {
                    read(file, name, records);
                }
            }
        }
        return records;
    }

    private static void read(Path file, String name, Map<String, DeviceRecord> records) {
        try {
            records.put(name, DeviceRecord.parseFrom(Files.readAllBytes(file)));
        } catch (IOException e) {
            LOG.error(
                    "the record {} of a device cannot be read, and the device not taken up: {}", file, e.getMessage());
        }
    }
}
