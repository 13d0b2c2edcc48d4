package io.farblock.server;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which volumes exist, and what is kept of each: one checksummed file a volume, see {@link RecordFile}.
 *
 * <p>A record is replaced as a whole: written beside it, synced, renamed over it, the directory synced. A volume is
 * made in the steps "record says creating, data files, record says ready" and deleted in the steps "record says
 * deleting, data files gone, record gone". After a crash between any two of them the next {@link #open} takes away what
 * is not ready. Data without any record is never touched. Calls from any thread; they wait for the disk.
 */
final class Catalogue {
    static final long MAX_SIZE_BYTES = 64L << 40;
    static final int DEFAULT_BLOCK_SIZE_BYTES = 4096;

    private static final Logger LOG = LoggerFactory.getLogger(Catalogue.class);
    // No name begins with a dot, so that no volume is ever taken for one of these.
    private static final String FRESH_PREFIX = ".new-";

    private final Disk disk;
    private final DataDirectory directory;
    private final Map<String, VolumeRecord> records = new TreeMap<>();

    private Catalogue(Disk disk, DataDirectory directory) {
        this.disk = disk;
        this.directory = directory;
    }

    /** Reads every record and finishes what a crash interrupted. */
    static Catalogue open(Disk disk, DataDirectory directory) throws StartupException {
        Catalogue catalogue = new Catalogue(disk, directory);
        try {
            catalogue.readAll();
            catalogue.finishInterrupted();
            catalogue.warnOfOrphans();
        } catch (IOException e) {
            throw new StartupException(
                    "catalogue " + directory.catalogue() + " cannot be read (" + e.getMessage() + "): check its disk",
                    e);
        }
        return catalogue;
    }

    /** Makes a volume of zeros; what the record does not say (UUID, generation, phase) is set here. */
    VolumeRecord create(VolumeRecord wanted) throws VolumeException {
        requireValid(wanted);
        VolumeRecord creating = wanted.toBuilder()
                .setUuid(UUID.randomUUID().toString())
                .setGeneration(1)
                .setPhase(RecordPhase.RECORD_PHASE_CREATING)
                .build();
        try {
            reserve(creating);
            // Not under the lock: many files take a while, and others open their volumes meanwhile.
            VolumeFiles.create(disk, data(creating), creating.getSizeBytes());
            disk.syncDirectory(directory.volumes());
            VolumeRecord ready = creating.toBuilder()
                    .setPhase(RecordPhase.RECORD_PHASE_READY)
                    .build();
            put(ready);
            return ready;
        } catch (IOException e) {
            throw undo(creating, e);
        }
    }

    /** The record of a volume. */
    synchronized VolumeRecord find(String name) throws VolumeException {
        VolumeRecord record = records.get(name);
        if (record == null || record.getPhase() != RecordPhase.RECORD_PHASE_READY) {
            throw new VolumeException(
                    VolumeException.Kind.NOT_FOUND,
                    Names.isValid(name)
                            ? "no volume is named " + name
                            : "\"" + Names.printable(name) + "\" names no volume");
        }
        return record;
    }

    /** All volumes, by name. */
    synchronized List<VolumeRecord> list() {
        List<VolumeRecord> ready = new ArrayList<>();
        for (VolumeRecord record : records.values()) {
            if (record.getPhase() == RecordPhase.RECORD_PHASE_READY) {
                ready.add(record);
            }
        }
        return ready;
    }

    /** Changes the record of a volume that exists; durable on return. */
    synchronized VolumeRecord update(String name, UnaryOperator<VolumeRecord.Builder> change)
            throws VolumeException, IOException {
        VolumeRecord changed = change.apply(find(name).toBuilder()).build();
        put(changed);
        return changed;
    }

    /** Takes a volume out of the catalogue; its name stays taken until {@link #deleteData}. */
    synchronized VolumeRecord markDeleting(String name) throws VolumeException {
        VolumeRecord deleting = find(name).toBuilder()
                .setPhase(RecordPhase.RECORD_PHASE_DELETING)
                .build();
        try {
            put(deleting);
        } catch (IOException e) {
            throw undeletable(deleting, e);
        }
        return deleting;
    }

    /** Frees what a volume that was marked takes, and its name. Nobody may have its files open. */
    void deleteData(VolumeRecord deleting) throws VolumeException {
        try {
            remove(deleting);
        } catch (IOException e) {
            throw undeletable(deleting, e);
        }
    }

    /** Where the data of a volume lies. */
    Path data(VolumeRecord record) {
        return directory.volumes().resolve(record.getUuid());
    }

    /** What a volume takes on the disk, in bytes. */
    long allocatedBytes(VolumeRecord record) throws IOException {
        return VolumeFiles.allocatedBytes(disk, data(record), record.getSizeBytes());
    }

    private static void requireValid(VolumeRecord wanted) throws VolumeException {
        String reason = null;
        if (!Names.isValid(wanted.getName())) {
            reason = "name \"" + Names.printable(wanted.getName())
                    + "\" is not 1 to 64 of A-Z a-z 0-9 _ . - with no dot in front";
        } else if (wanted.getBlockSizeBytes() != 512 && wanted.getBlockSizeBytes() != 4096) {
            reason = "block size " + Integer.toUnsignedString(wanted.getBlockSizeBytes()) + " is neither 512 nor 4096";
        } else if (wanted.getSizeBytes() <= 0 || wanted.getSizeBytes() > MAX_SIZE_BYTES) {
            reason = "size " + Long.toUnsignedString(wanted.getSizeBytes()) + " is not between 1 block and 64 TiB ("
                    + MAX_SIZE_BYTES + " bytes)";
        } else if (wanted.getSizeBytes() % wanted.getBlockSizeBytes() != 0) {
            reason = "size " + wanted.getSizeBytes() + " is not a multiple of the block size "
                    + wanted.getBlockSizeBytes();
        }
        if (reason != null) {
            throw new VolumeException(VolumeException.Kind.INVALID, reason);
        }
    }

    private VolumeException undo(VolumeRecord creating, IOException cause) {
        try {
            remove(creating);
        } catch (IOException e) {
            // The next start finds the record in the phase CREATING and takes it away.
            cause.addSuppressed(e);
        }
        return new VolumeException(
                VolumeException.Kind.DISK,
                "volume " + creating.getName() + " of " + creating.getSizeBytes() + " bytes cannot be made in "
                        + directory.root() + ": " + cause.getMessage(),
                cause);
    }

    private static VolumeException undeletable(VolumeRecord deleting, IOException cause) {
        return new VolumeException(
                VolumeException.Kind.DISK,
                "volume " + deleting.getName() + " cannot be deleted now (" + cause.getMessage()
                        + "); the next start of the server tries again",
                cause);
    }

    private synchronized void reserve(VolumeRecord creating) throws VolumeException, IOException {
        String name = creating.getName();
        if (records.containsKey(name)) {
            throw new VolumeException(VolumeException.Kind.NAME_TAKEN, "a volume named " + name + " exists already");
        }
        put(creating);
    }

    private synchronized void put(VolumeRecord record) throws IOException {
        Path fresh = directory.catalogue().resolve(FRESH_PREFIX + record.getName());
        disk.writeFile(fresh, RecordFile.encode(record));
        disk.rename(fresh, file(record));
        // From here on a reader of the disk may find it, whether or not the directory can be synced.
        records.put(record.getName(), record);
        disk.syncDirectory(directory.catalogue());
    }

    private void remove(VolumeRecord record) throws IOException {
        VolumeFiles.delete(disk, data(record));
        disk.syncDirectory(directory.volumes());
        synchronized (this) {
            disk.delete(file(record));
            records.remove(record.getName());
            disk.syncDirectory(directory.catalogue());
        }
    }

    private Path file(VolumeRecord record) {
        return directory.catalogue().resolve(record.getName());
    }

    private void readAll() throws IOException, StartupException {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory.catalogue())) {
            for (Path entry : entries) {
                if (entry.getFileName().toString().startsWith(FRESH_PREFIX)) {
                    disk.delete(entry);
                } else {
                    read(entry);
                }
            }
        }
    }

    private void read(Path entry) throws StartupException {
        String name = entry.getFileName().toString();
        try {
            VolumeRecord record = RecordFile.decode(Files.readAllBytes(entry));
            if (!record.getName().equals(name)) {
                throw new IOException("it is the record of volume " + Names.printable(record.getName()));
            }
            records.put(name, record);
        } catch (IOException e) {
            throw new StartupException(
                    "volume record " + entry + " is damaged (" + e.getMessage()
                            + "): restore it from a backup, or move it away to start without this volume;"
                            + " the data stays in " + directory.volumes(),
                    e);
        }
    }

    private void finishInterrupted() throws IOException {
        for (VolumeRecord record : List.copyOf(records.values())) {
            if (record.getPhase() != RecordPhase.RECORD_PHASE_READY) {
                LOG.info("removing volume {}, which was {} when the server stopped", record.getName(), phase(record));
                remove(record);
            }
        }
    }

    private static String phase(VolumeRecord record) {
        return record.getPhase() == RecordPhase.RECORD_PHASE_CREATING ? "being created" : "being deleted";
    }

    private void warnOfOrphans() throws IOException {
        Set<String> known = new HashSet<>();
        for (VolumeRecord record : records.values()) {
            known.add(record.getUuid());
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(directory.volumes())) {
            for (Path entry : entries) {
                if (!known.contains(entry.getFileName().toString())) {
                    LOG.warn("{} belongs to no volume of the catalogue; it is kept", entry);
                }
            }
        }
    }
}
