package io.farblock.daemon;

import io.farblock.api.node.DeviceRecord;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.MappedMemory;
import io.farblock.memory.GuestRegion;
import io.farblock.virtio.InFlightLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The in-flight logs of one device's queues: a file of one page for each, beside the device's record, mapped.
 *
 * <p>The file is for the daemon that comes after this one. It belongs on a tmpfs: under write-back of a disk's file a
 * store into its mapping can wait for the disk. Opened and closed by the thread that makes the device; what is in it
 * belongs to the queues' loops.
 */
final class QueueLogs implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(QueueLogs.class);
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Set<String> IN_MEMORY = Set.of("tmpfs", "ramfs");
    private static final int OWNER_ONLY = 0600;

    private final MappedMemory mapping;
    private final List<InFlightLog> logs = new ArrayList<>();

    private QueueLogs(FileDescriptor file, int queues, UUID instance) throws IOException {
        long lengthBytes = (long) queues * InFlightLog.SECTION_BYTES;
        try (file) {
            // All of it now: a store into a page that a full tmpfs cannot give ends the process.
            if (LibC.fallocate(file.number(), 0, 0, lengthBytes) < 0) {
                throw LinuxException.last("fallocate", file.subject());
            }
            mapping = MappedMemory.map(file, 0, lengthBytes, LibC.PROT_READ | LibC.PROT_WRITE);
        }
        UUID bootId = UUID.fromString(Files.readString(BOOT_ID).strip());
        GuestRegion region = new GuestRegion(0, lengthBytes, true, true, file.subject(), true, mapping, 0);
        for (int i = 0; i < queues; i++) {
            long first = (long) i * InFlightLog.SECTION_BYTES;
            logs.add(new InFlightLog(region.range(first, InFlightLog.SECTION_BYTES), bootId, instance));
        }
    }

    /** Where the logs of a device are. */
    static Path file(DaemonOptions options, String name) {
        return Path.of(options.socket() + ".inflight", name);
    }

    /** Logs of a device with nothing in flight: a new one, or one whose daemon kept none and gave back in order. */
    static QueueLogs create(Path path, int queues, UUID instance) throws IOException {
        Files.createDirectories(path.getParent());
        Files.deleteIfExists(path);
        QueueLogs logs = open(path, queues, instance);
        logs.logs.forEach(InFlightLog::idle);
        return logs;
    }

    /** Logs as an earlier daemon has left them; those that are not there are lost. */
    static QueueLogs open(Path path, int queues, UUID instance) throws IOException {
        Files.createDirectories(path.getParent());
        return new QueueLogs(
                FileDescriptor.open(path.toString(), LibC.O_RDWR | LibC.O_CREAT, OWNER_ONLY), queues, instance);
    }

    /** Logs that know nothing and are kept for nobody. */
    static QueueLogs unknown(int queues) throws IOException {
        int fd = LibC.memfd_create("farblock-inflight", LibC.MFD_CLOEXEC);
        if (fd < 0) {
            throw LinuxException.last("memfd_create", "");
        }
        return new QueueLogs(new FileDescriptor(fd, "in-flight log"), queues, UUID.randomUUID());
    }

    /** Says so in the log if the files are not in memory. */
    static void checkPlace(DaemonOptions options) throws IOException {
        Path folder = options.socket().toAbsolutePath().getParent();
        String type = Files.getFileStore(folder).type();
        if (!IN_MEMORY.contains(type)) {
            LOG.warn(
                    "{} is on {}: a request may wait while its disk is written; keep --socket on a tmpfs, such as /run",
                    folder,
                    type);
        }
    }

    /** Forgets the logs of a device that is no more. */
    static void remove(Path path) throws IOException {
        Files.deleteIfExists(path);
    }

    /** Which attach of a device a record, and with it a log, is of. */
    static UUID instance(DeviceRecord record) {
        ByteBuffer id = record.getSessionId().asReadOnlyByteBuffer();
        return new UUID(id.getLong(0), id.getLong(Long.BYTES));
    }

    InFlightLog get(int queue) {
        return logs.get(queue);
    }

    /** The queues have ended. */
    @Override
    public void close() {
        mapping.close();
    }
}
