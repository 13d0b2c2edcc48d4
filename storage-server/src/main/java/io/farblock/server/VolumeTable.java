package io.farblock.server;

import io.farblock.api.admin.Space;
import io.farblock.session.VolumeHost.OpenAnswer;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All volumes of a server, each with a control thread of its own: the one on which it is decided who may open it.
 *
 * <p>Methods are called from any thread. {@link #open} returns at once, {@link #get} and {@link #list} wait for no
 * volume's disk; the others wait for the control thread and the disk of their volume. A volume that was opened once
 * stays open until it is deleted or the server ends.
 */
final class VolumeTable {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeTable.class);

    private final Disk disk;
    private final Catalogue catalogue;
    private final Snapshots snapshots;
    private final DiskRoom room;
    private final ServerOptions options;
    private final DurabilityVerifier verifier;
    private final Threads threads;
    private final PayloadMemory memory;
    private final SumMemory sums;
    private final Map<String, VolumeControl> controls = new ConcurrentHashMap<>();

    VolumeTable(
            Disk disk,
            Catalogue catalogue,
            ServerOptions options,
            DurabilityVerifier verifier,
            PayloadMemory memory,
            Threads threads) {
        this.memory = memory;
        this.disk = disk;
        this.catalogue = catalogue;
        this.options = options;
        this.verifier = verifier;
        this.threads = threads;
        snapshots = new Snapshots(disk, catalogue);
        sums = new SumMemory(options.checksumMemoryBytes());
        room = new DiskRoom(disk, catalogue.volumes(), options.reserveBytes());
    }

    /** Opens a volume for a connection; the answer comes on the client's loop. */
    void open(Hello hello, ClientEnd client, OpenAnswer answer) {
        try {
            VolumeControl control = control(hello.getVolume());
            control.execute(() -> decide(control, hello, client, answer));
        } catch (VolumeException e) {
            client.refuse(answer, RefusalCode.REFUSAL_CODE_NO_SUCH_VOLUME, e.getMessage(), "");
        }
    }

    VolumeRecord create(VolumeRecord wanted) throws VolumeException {
        room.require("volume " + wanted.getName() + " cannot be made");
        return catalogue.create(wanted);
    }

    /** Makes a volume that begins as a snapshot. */
    VolumeRecord copy(SnapshotName of, VolumeRecord wanted) throws VolumeException {
        room.require("volume " + wanted.getName() + " cannot be made");
        VolumeMerge merge = control(of.volume()).merge();
        merge.pause();
        try {
            return snapshots.copy(of, wanted);
        } finally {
            merge.resume();
        }
    }

    /**
     * Takes a snapshot: it has what was acknowledged before the call, durably once this returns, and nothing that is
     * submitted after it. Writers wait for a moment, while no file is synced.
     */
    VolumeRecord snapshot(SnapshotName name, Map<String, String> labels) throws VolumeException {
        VolumeRules.checkLabels(labels);
        VolumeControl control = control(name.volume());
        return control.call(() -> {
            VolumeRecord record = whole(name.volume());
            return snapshotNow(control, record, name, labels, "");
        });
    }

    /** The record of a volume that is not being imported. */
    VolumeRecord whole(String name) throws VolumeException {
        VolumeRecord record = catalogue.find(name);
        if (!record.getImporter().isEmpty()) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE, "volume " + name + " is being imported and is not whole");
        }
        return record;
    }

    /** On the control thread; {@code content} is what it holds if it was imported, and empty otherwise. */
    VolumeRecord snapshotNow(
            VolumeControl control, VolumeRecord record, SnapshotName name, Map<String, String> labels, String content)
            throws IOException, VolumeException {
        FileVolume volume = ready(control, record, name);
        control.merge().pause();
        try {
            volume.push(snapshots.addLayer(name.volume()));
            return snapshots.add(name, labels, content, System.currentTimeMillis());
        } finally {
            control.merge().resume();
        }
    }

    /** On the control thread: the volume, if a snapshot of this name can be taken of it. */
    FileVolume ready(VolumeControl control, VolumeRecord record, SnapshotName name)
            throws IOException, VolumeException {
        Snapshots.check(name, record);
        room.require("snapshot " + name + " cannot be taken");
        FileVolume volume = serve(control, record).volume();
        if (volume.failure() != null) {
            throw new VolumeException(
                    VolumeException.Kind.DISK, "volume " + name.volume() + " refuses I/O: " + volume.failure());
        }
        return volume;
    }

    /** Deletes a snapshot that nobody reads and of which there is no clone; what only it had is freed later. */
    void deleteSnapshot(SnapshotName name) throws VolumeException {
        VolumeControl control = control(name.toString());
        control.call(() -> {
            requireUnused(control, name.toString());
            snapshots.remove(name);
            end(control, name.toString());
            return null;
        });
        control(name.volume()).merge().kick();
    }

    /** Goes on with what was being merged, here or in a volume of which a clone is gone. */
    void resumeMerges() {
        catalogue.list().stream()
                .filter(record -> MergePlan.of(record) != null)
                .forEach(record -> controlOf(record.getName()).merge().kick());
    }

    List<VolumeStatus> list() throws VolumeException {
        List<VolumeStatus> all = new ArrayList<>();
        for (VolumeRecord record : catalogue.list()) {
            all.add(status(record));
        }
        return all;
    }

    /** What there is on the disk, and what volumes have of it. */
    Space space() throws VolumeException {
        return SpaceUse.ofAll(disk, catalogue, room);
    }

    VolumeStatus get(String name) throws VolumeException {
        return status(catalogue.find(name));
    }

    /** Every volume and snapshot that was used since the server was started. */
    Collection<VolumeControl> controls() {
        return controls.values();
    }

    int count() {
        return catalogue.list().size();
    }

    /** Deletes a volume that nobody has open or holds. */
    void delete(String name) throws VolumeException {
        VolumeControl control = control(name);
        catalogue.deleteData(control.call(() -> beginDelete(control, name)));
        resumeMerges();
    }

    /** Reads a volume that has failed back from the disk; it serves again if that works. Takes long. */
    void check(String name) throws VolumeException {
        VolumeControl control = control(name);
        ServedVolume volume = control.call(() -> serve(control, catalogue.find(name)));
        control.merge().pause();
        try {
            VolumeCheck.run(control, volume, name);
        } finally {
            control.merge().resume();
            control.execute(() -> closeIfUnused(control));
        }
    }

    /** Ends the lease of a volume for ever; returns who held it once nothing of theirs can land any more. */
    List<String> release(String name, boolean force) throws VolumeException {
        VolumeControl control = control(name);
        CountDownLatch drained = new CountDownLatch(2);
        List<String> released = control.call(() -> {
            VolumeRecord record = catalogue.find(name);
            ServedVolume served = serve(control, record);
            List<String> holders = served.release(record, force, drained::countDown);
            VolumeRecord left = catalogue.update(name, VolumeRecord.Builder::clearPublications);
            served.endPublications(left, record.getPublicationsList(), drained::countDown);
            return holders;
        });
        VolumeControl.awaitDrained(name, drained, String.join(", ", released));
        return released;
    }

    /** Gives a volume to a node; durable on return. */
    PublicationRecord publish(String name, PublicationRecord wanted) throws VolumeException {
        VolumeControl control = control(name);
        return control.call(() -> {
            Publications.check(catalogue.find(name), wanted);
            boolean stands = Publications.of(catalogue.find(name), wanted.getNode()) != null;
            VolumeRecord published = stands
                    ? catalogue.confirm(name)
                    : catalogue.update(name, record -> Publications.add(record, wanted));
            return Publications.of(published, wanted.getNode());
        });
    }

    /** Takes a volume from a node, or from all; returns once nothing of theirs can land any more. */
    void unpublish(String name, String node) throws VolumeException {
        VolumeControl control = control(name);
        CountDownLatch drained = new CountDownLatch(1);
        control.call(() -> {
            VolumeRecord record = catalogue.find(name);
            List<PublicationRecord> ended = record.getPublicationsList().stream()
                    .filter(publication ->
                            node.isEmpty() || publication.getNode().equals(node))
                    .toList();
            VolumeRecord left = catalogue.update(name, changed -> Publications.remove(changed, ended));
            serve(control, left).endPublications(left, ended, drained::countDown);
            return null;
        });
        VolumeControl.awaitDrained(name, drained, node.isEmpty() ? "every node" : Names.printable(node));
    }

    /** Fences everybody, waits for the disk, syncs and closes all; returns what is not done after the time. */
    List<String> closeFiles(long timeoutMillis) {
        return VolumeControl.closeAll(List.copyOf(controls.values()), timeoutMillis);
    }

    /** Ends the timer. */
    void close() {
        threads.close();
    }

    Catalogue catalogue() {
        return catalogue;
    }

    Disk disk() {
        return disk;
    }

    Snapshots snapshots() {
        return snapshots;
    }

    VolumeControl control(String name) throws VolumeException {
        // First: a name that a client made up takes no memory.
        VolumeRecord unused = catalogue.find(name);
        return controlOf(name);
    }

    private VolumeControl controlOf(String name) {
        return controls.computeIfAbsent(name, added -> new VolumeControl(added, this, catalogue, snapshots, threads));
    }

    private void decide(VolumeControl control, Hello hello, ClientEnd client, OpenAnswer answer) {
        if (control.isEnding() && controls.get(control.name()) != control) {
            // A snapshot that nobody had open was closed a moment ago.
            open(hello, client, answer);
            return;
        }
        try {
            VolumeRecord record = catalogue.find(hello.getVolume());
            Access.Denial denial = Access.denial(client.identity(), record, hello);
            if (denial != null) {
                client.refuse(answer, denial.code(), denial.reason(), "");
                return;
            }
            serve(control, record).open(hello, record, client, answer);
            closeIfUnused(control);
        } catch (VolumeException e) {
            client.refuse(answer, RefusalCode.REFUSAL_CODE_NO_SUCH_VOLUME, e.getMessage(), "");
        } catch (IOException e) {
            LOG.warn(
                    "volume {} could not be opened for {}",
                    hello.getVolume(),
                    Names.printable(hello.getClientName()),
                    e);
            client.refuse(
                    answer,
                    RefusalCode.REFUSAL_CODE_BUSY,
                    "volume " + hello.getVolume() + " cannot be opened now: " + e.getMessage(),
                    "");
        }
    }

    /** On the control thread. */
    ServedVolume serve(VolumeControl control, VolumeRecord record) throws IOException, VolumeException {
        if (control.isEnding()) {
            throw new IOException("it was deleted a moment ago, or the server is stopping");
        }
        ServedVolume volume = control.served();
        if (volume == null) {
            String name = control.name();
            VolumeMerge merge = SnapshotName.isOne(name)
                    ? controlOf(SnapshotName.parse(name).volume()).merge()
                    : null;
            FileVolume files = open(record, merge);
            volume = new ServedVolume(
                    files, record, catalogue, verifier, memory.new Share(), control, () -> closeIfUnused(control));
            control.serve(volume, merge == null ? () -> {} : merge::resume);
        }
        return volume;
    }

    // The layers of an open snapshot stay what they are; and so may others than the record said before.
    private FileVolume open(VolumeRecord record, VolumeMerge merge) throws IOException, VolumeException {
        if (merge == null) {
            return FileVolume.open(record, disk, catalogue, options, sums, threads);
        }
        merge.pause();
        try {
            return FileVolume.open(catalogue.find(record.getName()), disk, catalogue, options, sums, threads);
        } catch (IOException | VolumeException | RuntimeException e) {
            merge.resume();
            throw e;
        }
    }

    /** On the control thread: a snapshot that stays open would be in the way of merges for ever. */
    void closeIfUnused(VolumeControl control) {
        ServedVolume served = control.served();
        if (SnapshotName.isOne(control.name()) && served != null && !control.isEnding() && served.isUnused()) {
            end(control, control.name());
        }
    }

    private VolumeRecord beginDelete(VolumeControl control, String name) throws VolumeException, IOException {
        VolumeRecord record = requireUnused(control, name);
        if (record.getSnapshotsCount() > 0) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE,
                    "volume " + name + " has snapshots, such as "
                            + record.getSnapshots(0).getName() + ": delete them first");
        }
        VolumeRecord deleting = catalogue.markDeleting(name);
        end(control, name);
        return deleting;
    }

    /** On the control thread: the record of a volume that nobody has open or holds. */
    VolumeRecord requireUnused(VolumeControl control, String name) throws VolumeException {
        VolumeRecord record = catalogue.find(name);
        List<VolumeStatus.Client> clients = VolumeStatus.clients(control.served(), record);
        // An import that was cut short comes back no more.
        boolean isAbandoned =
                !record.getImporter().isEmpty() && clients.stream().noneMatch(VolumeStatus.Client::isConnected);
        if (!clients.isEmpty() && !isAbandoned) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE, clients.get(0).inUse(name));
        }
        if (record.getPublicationsCount() > 0) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE,
                    "volume " + name + " is published to "
                            + Names.printable(record.getPublications(0).getNode()));
        }
        return record;
    }

    private void end(VolumeControl control, String name) {
        control.closeNow();
        controls.remove(name, control);
    }

    private VolumeStatus status(VolumeRecord record) throws VolumeException {
        SpaceUse space;
        try {
            space = catalogue.spaceUse(record);
        } catch (IOException e) {
            throw diskFailed(record.getName(), e);
        }
        return VolumeStatus.of(record, space, controls.get(record.getName()));
    }

    private static VolumeException diskFailed(String name, IOException e) {
        return new VolumeException(VolumeException.Kind.DISK, "volume " + name + ": " + e.getMessage(), e);
    }
}
