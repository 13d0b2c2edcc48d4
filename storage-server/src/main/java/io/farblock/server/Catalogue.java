package io.farblock.server;

import io.farblock.linux.Errno;
import io.farblock.linux.LinuxException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which volumes exist, and what is kept of each: one checksummed file a volume, see {@link RecordFile}.
 *
 * <p>A record is replaced as a whole: written beside it, synced, renamed over it, the directory synced. A volume is
 * made in the steps "record says creating, data files, record says ready" and deleted in the steps "record says
 * deleting, data files gone, record gone". After a crash between any two of them the next {@link #open} takes away what
 * is not ready. Data without any record is never touched. Calls from any thread; a change waits for the disk, and for
 * other changes of the same record.
 */
final class Catalogue {
    private static final Logger LOG = LoggerFactory.getLogger(Catalogue.class);
    // No name begins with a dot, so that no volume is ever taken for one of these.
    private static final String FRESH_PREFIX = ".new-";

    private final Disk disk;
    private final DataDirectory directory;
    private final SpaceReserve reserve;
    private final Map<String, Entry> entries = new ConcurrentSkipListMap<>();

    /** A record in memory; whoever writes its file holds the entry's lock, and readers wait for nobody. */
    private static final class Entry {
        volatile VolumeRecord record;
        // Whether the last write of the file failed half way: the disk may have the old record or the new one.
        boolean inDoubt;

        Entry(VolumeRecord record) {
            this.record = record;
        }
    }

    private Catalogue(Disk disk, DataDirectory directory) {
        this.disk = disk;
        this.directory = directory;
        reserve = new SpaceReserve(disk, directory.reserve());
    }

    /** Reads every record and finishes what a crash interrupted. */
    static Catalogue open(Disk disk, DataDirectory directory) throws StartupException {
        Catalogue catalogue = new Catalogue(disk, directory);
        try {
            catalogue.readAll();
            // What a server that was killed had renamed and not synced is what this one goes by.
            disk.syncDirectory(directory.catalogue());
            catalogue.finishInterrupted();
            catalogue.warnOfOrphans();
            catalogue.reserve.refill();
        } catch (IOException e) {
            throw new StartupException(
                    "catalogue " + directory.catalogue() + " cannot be read (" + e.getMessage() + "): check its disk",
                    e);
        }
        return catalogue;
    }

    /** Makes a volume of zeros; what the record does not say (UUID, generation, phase) is set here. */
    VolumeRecord create(VolumeRecord wanted) throws VolumeException {
        return complete(
                reserve(wanted.toBuilder().setUuid(UUID.randomUUID().toString()).build()));
    }

    /** Takes the name of a volume that is to be made; what of its layers is not borrowed is made by {@link #complete}. */
    VolumeRecord reserve(VolumeRecord wanted) throws VolumeException {
        VolumeRules.check(wanted);
        VolumeRecord creating = wanted.toBuilder()
                .setGeneration(1)
                .setPhase(RecordPhase.RECORD_PHASE_CREATING)
                .build();
        try {
            putNew(creating);
        } catch (IOException e) {
            throw undo(creating, e);
        }
        return creating;
    }

    VolumeRecord complete(VolumeRecord creating) throws VolumeException {
        try {
            // Not under the lock: many files take a while, and others open their volumes meanwhile.
            if (creating.getLayersCount() == 0) {
                VolumeFiles.create(disk, data(creating), creating.getSizeBytes());
            } else {
                Layer.create(disk, data(creating), creating.getSizeBytes());
            }
            disk.syncDirectory(directory.volumes());
            VolumeRecord ready = creating.toBuilder()
                    .setPhase(RecordPhase.RECORD_PHASE_READY)
                    .build();
            change(ready.getName(), ready);
            return ready;
        } catch (IOException e) {
            throw undo(creating, e);
        }
    }

    /** The record of a volume, or of a snapshot as VOLUME@SNAPSHOT. */
    VolumeRecord find(String name) throws VolumeException {
        if (SnapshotName.isOne(name)) {
            SnapshotName snapshot = SnapshotName.parse(name);
            return snapshot.in(find(snapshot.volume()));
        }
        Entry entry = entries.get(name);
        if (entry == null) {
            throw notFound(name);
        }
        return ready(entry, name);
    }

    private static VolumeRecord ready(Entry entry, String name) throws VolumeException {
        VolumeRecord record = entry.record;
        if (record.getPhase() != RecordPhase.RECORD_PHASE_READY) {
            throw notFound(name);
        }
        return record;
    }

    private static VolumeException notFound(String name) {
        return new VolumeException(
                VolumeException.Kind.NOT_FOUND,
                Names.isValid(name)
                        ? "no volume is named " + name
                        : "\"" + Names.printable(name) + "\" names no volume");
    }

    /** All volumes, by name. */
    List<VolumeRecord> list() {
        List<VolumeRecord> ready = new ArrayList<>();
        for (Entry entry : entries.values()) {
            VolumeRecord record = entry.record;
            if (record.getPhase() == RecordPhase.RECORD_PHASE_READY) {
                ready.add(record);
            }
        }
        return ready;
    }

    /** The records of all volumes, also of those that are being made or deleted. */
    List<VolumeRecord> all() {
        return entries.values().stream().map(entry -> entry.record).toList();
    }

    /** Changes the record of a volume that exists; durable on return. */
    VolumeRecord update(String name, UnaryOperator<VolumeRecord.Builder> change) throws VolumeException, IOException {
        Entry entry = entry(name);
        synchronized (entry) {
            VolumeRecord changed = change.apply(ready(entry, name).toBuilder()).build();
            put(entry, changed);
            return changed;
        }
    }

    /** The record of a volume, durable on return even if the last change of it failed half way. */
    VolumeRecord confirm(String name) throws VolumeException, IOException {
        Entry entry = entry(name);
        synchronized (entry) {
            VolumeRecord record = ready(entry, name);
            if (entry.inDoubt) {
                put(entry, record);
            }
            return record;
        }
    }

    /** Takes a volume out of the catalogue; its name stays taken until {@link #deleteData}. */
    VolumeRecord markDeleting(String name) throws VolumeException {
        VolumeRecord deleting = find(name).toBuilder()
                .setPhase(RecordPhase.RECORD_PHASE_DELETING)
                .build();
        try {
            change(name, deleting);
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

    /** Where the layer lies that a volume was made with. */
    Path data(VolumeRecord record) {
        return directory.volumes().resolve(record.getUuid());
    }

    /** Where each layer has a directory. */
    Path volumes() {
        return directory.volumes();
    }

    /** What a volume takes on the disk. */
    SpaceUse spaceUse(VolumeRecord record) throws IOException {
        return SpaceUse.of(disk, this, record);
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

    private void putNew(VolumeRecord creating) throws VolumeException, IOException {
        String name = creating.getName();
        Entry entry = new Entry(creating);
        synchronized (entry) {
            if (entries.putIfAbsent(name, entry) != null) {
                throw new VolumeException(
                        VolumeException.Kind.NAME_TAKEN, "a volume named " + name + " exists already");
            }
            put(entry, creating);
        }
    }

    private Entry entry(String name) throws VolumeException {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw notFound(name);
        }
        return entry;
    }

    private void change(String name, VolumeRecord changed) throws VolumeException, IOException {
        Entry entry = entry(name);
        synchronized (entry) {
            put(entry, changed);
        }
    }

    // Under the entry's lock.
    private void put(Entry entry, VolumeRecord record) throws IOException {
        Path fresh = directory.catalogue().resolve(FRESH_PREFIX + record.getName());
        write(fresh, RecordFile.encode(record));
        entry.inDoubt = true;
        disk.rename(fresh, file(record));
        // From here on a reader of the disk may find it, whether or not the directory can be synced.
        entry.record = record;
        disk.syncDirectory(directory.catalogue());
        entry.inDoubt = false;
    }

    private void write(Path fresh, byte[] content) throws IOException {
        boolean written = false;
        boolean hadRoom = true;
        while (!written) {
            try {
                disk.writeFile(fresh, content);
                written = true;
            } catch (LinuxException e) {
                hadRoom = false;
                if ((e.errno() != Errno.ENOSPC && e.errno() != Errno.EDQUOT) || !reserve.spend()) {
                    throw e;
                }
            }
        }
        if (hadRoom) {
            reserve.refill();
        }
    }

    private void remove(VolumeRecord record) throws IOException {
        for (LayerRecord layer : Layers.own(record)) {
            VolumeFiles.delete(disk, directory.volumes().resolve(layer.getUuid()));
        }
        if (!record.getFreshLayer().isEmpty()) {
            VolumeFiles.delete(disk, directory.volumes().resolve(record.getFreshLayer()));
        }
        disk.syncDirectory(directory.volumes());
        Entry entry = entries.get(record.getName());
        synchronized (entry) {
            disk.delete(file(record));
            entries.remove(record.getName());
            disk.syncDirectory(directory.catalogue());
        }
    }

    private Path file(VolumeRecord record) {
        return directory.catalogue().resolve(record.getName());
    }

    private void readAll() throws IOException, StartupException {
        for (Path entry : disk.list(directory.catalogue())) {
            if (entry.getFileName().toString().startsWith(FRESH_PREFIX)) {
                disk.delete(entry);
            } else {
                read(entry);
            }
        }
    }

    private void read(Path entry) throws StartupException {
        String name = entry.getFileName().toString();
        try {
            VolumeRecord record = RecordFile.decode(disk.readFile(entry));
            if (!record.getName().equals(name)) {
                throw new IOException("it is the record of volume " + Names.printable(record.getName()));
            }
            entries.put(name, new Entry(record));
        } catch (IOException e) {
            throw new StartupException(
                    "volume record " + entry + " is damaged (" + e.getMessage()
                            + "): restore it from a backup, or move it away to start without this volume;"
                            + " the data stays in " + directory.volumes(),
                    e);
        }
    }

    private void finishInterrupted() throws IOException {
        for (Entry entry : List.copyOf(entries.values())) {
            VolumeRecord record = entry.record;
            if (record.getPhase() != RecordPhase.RECORD_PHASE_READY) {
                LOG.info("removing volume {}, which was {} when the server stopped", record.getName(), phase(record));
                remove(record);
            } else if (!record.getFreshLayer().isEmpty()) {
                VolumeFiles.delete(disk, directory.volumes().resolve(record.getFreshLayer()));
                disk.syncDirectory(directory.volumes());
                put(entry, record.toBuilder().clearFreshLayer().build());
            }
        }
    }

    private static String phase(VolumeRecord record) {
        return record.getPhase() == RecordPhase.RECORD_PHASE_CREATING ? "being created" : "being deleted";
    }

    private void warnOfOrphans() throws IOException {
        Set<String> known = new HashSet<>();
        for (Entry entry : entries.values()) {
            Layers.of(entry.record).forEach(layer -> known.add(layer.getUuid()));
        }
        for (Path entry : disk.list(directory.volumes())) {
            if (!known.contains(entry.getFileName().toString())) {
                LOG.warn("{} belongs to no volume of the catalogue; it is kept", entry);
            }
        }
    }
}
