package io.farblock.server;

import io.farblock.block.BlockOperation;
import io.farblock.block.IoLimits;
import io.farblock.block.Throttle;
import io.farblock.session.VolumeHost.OpenAnswer;
import io.farblock.wire.ControlFrame;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A volume that is open, and who has it open.
 *
 * <p>Who may open it and who is fenced is decided on one thread, the volume's control thread; methods that other threads
 * call say so.
 */
final class ServedVolume {
    private static final Logger LOG = LoggerFactory.getLogger(ServedVolume.class);

    private final FileVolume volume;
    private final Lease lease;
    private final DurabilityVerifier verifier;
    private final PayloadMemory.Share memory;
    private final Executor control;
    private final Throttle throttle = new Throttle(System.nanoTime());
    private final Runnable whenLeft;
    // Changed on the control thread, looked at by whoever wants to know who is there.
    private final List<VolumeConnection> connections = new CopyOnWriteArrayList<>();
    // Those that were fenced or have ended, until the disk is done with the last of their work.
    private final List<VolumeConnection> ended = new ArrayList<>();

    /**
     * @param control runs things on the volume's control thread
     * @param whenLeft is run there each time the last of what a client has asked for is through
     */
    ServedVolume(
            FileVolume volume,
            VolumeRecord record,
            Catalogue catalogue,
            DurabilityVerifier verifier,
            PayloadMemory.Share memory,
            Executor control,
            Runnable whenLeft) {
        this.volume = volume;
        lease = new Lease(record, catalogue);
        this.verifier = verifier;
        this.memory = memory;
        this.control = control;
        throttle.limit(VolumeLimits.withSlack(VolumeLimits.of(record)), System.nanoTime());
        this.whenLeft = whenLeft;
    }

    FileVolume volume() {
        return volume;
    }

    /** What its requests and replies take. Any thread. */
    PayloadMemory.Share memory() {
        return memory;
    }

    /** The lowest epoch whose requests are served. Any thread. */
    long lowestEpoch() {
        return lease.lowestEpoch();
    }

    /** Decides on a hello, and answers once everything that it fences is through. */
    void open(Hello hello, VolumeRecord record, ClientEnd client, OpenAnswer answer)
            throws IOException, VolumeException {
        if (isReplaced(hello, record)) {
            client.refuse(
                    answer,
                    RefusalCode.REFUSAL_CODE_REPLACED,
                    "volume " + record.getName() + " was deleted and made again since this client opened it",
                    "");
        } else if (volume.failure() != null) {
            client.refuse(
                    answer,
                    RefusalCode.REFUSAL_CODE_VOLUME_FAILED,
                    "volume " + record.getName() + " refuses I/O (" + volume.failure() + "): run farblock volume check "
                            + record.getName(),
                    "");
        } else if (Imports.refuseOthers(hello, record, client, answer)) {
            return;
        } else if (isOvertaken(hello)) {
            client.refuse(
                    answer,
                    RefusalCode.REFUSAL_CODE_STALE_INCARNATION,
                    "queue " + hello.getQueue() + " of this session has a newer connection",
                    "");
        } else if (refuseUnpublished(hello, record, client, answer)) {
            return;
        } else if (hello.getReadOnly()) {
            admit(hello, record, 0, client, answer);
        } else if (SnapshotName.isOne(record.getName())) {
            client.refuse(
                    answer,
                    RefusalCode.REFUSAL_CODE_READ_ONLY,
                    record.getName() + " is a snapshot and can only be read: attach it with --read-only",
                    "");
        } else {
            openForWriting(hello, record, client, answer);
        }
    }

    /** The network connection has ended. Any thread. */
    void disconnected(VolumeConnection connection, boolean left) {
        control.execute(() -> {
            connections.remove(connection);
            if (!ended.contains(connection)) {
                ended.add(connection);
            }
            if (left && connection.isWriter()) {
                giveBackLease(connection);
            }
            connection
                    .fileStore()
                    .fence(() -> control.execute(() -> {
                        ended.remove(connection);
                        whenLeft.run();
                    }));
        });
    }

    /** Has other limits from now on, and tells every connection. */
    void limit(IoLimits limits) {
        throttle.limit(VolumeLimits.withSlack(limits), System.nanoTime());
        volume.limit(limits);
        infoIsNew();
    }

    /** Whether a request is not far beyond the limits; it counts as done then. Any thread. */
    boolean allows(BlockOperation operation, long lengthBytes) {
        if (volume.limits().isNone()) {
            return true;
        }
        long nowNanos = System.nanoTime();
        boolean allowed = throttle.waitNanos(operation, nowNanos) <= 0;
        if (allowed) {
            throttle.take(operation, lengthBytes, nowNanos);
        }
        return allowed;
    }

    /** Tells every connection what the volume is like now. */
    void infoIsNew() {
        for (VolumeConnection connection : connections) {
            connection.fileStore().infoIsNew();
        }
    }

    /** Whether nobody has it open, and the disk is done with those who had. */
    boolean isUnused() {
        return connections.isEmpty() && ended.isEmpty();
    }

    /** Ends every connection, so that the clients come back and compare the durability verifier. */
    void disconnectAll() {
        for (VolumeConnection connection : connections) {
            connection.disconnect();
        }
    }

    /** Fences every connection; calls back once the disk is done with all of them, on any thread. */
    void drain(Runnable drained) {
        List<VolumeConnection> all = allConnections();
        Countdown pending = new Countdown(all.size() + 1, drained);
        for (VolumeConnection connection : all) {
            connection.fileStore().fence(pending);
        }
        pending.run();
    }

    /**
     * Ends the lease for ever, and fences whoever writes under it.
     *
     * @param force whether writers that are connected are fenced, or in the way
     * @param drained called once no write under the old lease can land any more, on any thread
     * @return the names of those who held the volume; if nobody did, nothing has changed
     */
    List<String> release(VolumeRecord record, boolean force, Runnable drained) throws IOException, VolumeException {
        List<VolumeStatus.Client> writers = writers(record);
        if (!force && !writers.isEmpty() && writers.get(0).isConnected()) {
            throw new VolumeException(
                    VolumeException.Kind.IN_USE,
                    "volume " + record.getName() + " is held by "
                            + writers.get(0).name() + " ("
                            + writers.get(0).address()
                            + "), which is connected: detach it there, or add --force to fence it");
        }
        if (writers.isEmpty() && !record.getSharedWriters()) {
            drained.run();
            return List.of();
        }
        VolumeRecord revoked = lease.revoke(record);
        List<String> names = writers.stream().map(VolumeStatus.Client::name).toList();
        LOG.info(
                "volume {}: an operator has released it from {}{}, epoch {}",
                record.getName(),
                names.isEmpty() ? "nobody" : String.join(", ", names),
                force ? " by force" : "",
                revoked.getLeaseEpoch());
        List<VolumeConnection> fenced = writersBelow(revoked.getLeaseEpoch());
        fence(fenced, drained);
        for (VolumeConnection old : fenced) {
            old.fileStore().tellLeaseLost("an operator");
        }
        return names;
    }

    /**
     * Fences whoever has the volume by publications that have ended, and takes their lease.
     *
     * @param record which does not have them any more
     * @param drained called once no request of theirs can land any more, on any thread
     */
    void endPublications(VolumeRecord record, List<PublicationRecord> ended, Runnable drained)
            throws IOException, VolumeException {
        List<VolumeConnection> fenced = allConnections().stream()
                .filter(connection -> connection.hasEnded(ended, record))
                .toList();
        if (record.hasLeaseHolder() && ended.stream().anyMatch(publication -> !publication.getReadOnly())) {
            VolumeRecord unused = lease.revoke(record);
        }
        fence(fenced, drained);
        for (VolumeConnection old : fenced) {
            old.fileStore().tellLeaseLost("whoever publishes it");
        }
    }

    private static boolean refuseUnpublished(Hello hello, VolumeRecord record, ClientEnd client, OpenAnswer answer) {
        Lease.Refusal refusal = Publications.refusal(hello, record);
        if (refusal != null) {
            client.refuse(answer, refusal.code(), refusal.message(), refusal.holder());
        }
        return refusal != null;
    }

    private List<VolumeStatus.Client> writers(VolumeRecord record) {
        return clients(record).stream().filter(VolumeStatus.Client::writer).toList();
    }

    private List<VolumeConnection> writersBelow(long epoch) {
        List<VolumeConnection> writers = new ArrayList<>();
        for (VolumeConnection connection : allConnections()) {
            if (connection.isWriter() && connection.epoch() < epoch) {
                writers.add(connection);
            }
        }
        return writers;
    }

    /** Who has the volume open or holds its lease, the writers first. Any thread. */
    List<VolumeStatus.Client> clients(VolumeRecord record) {
        return OpenSessions.of(connections, record);
    }

    /** Whether a connection is the first one of its client, which is worth a line of the audit log. Any thread. */
    boolean isNews(VolumeConnection connection) {
        return OpenSessions.isNews(connections, connection);
    }

    private static boolean isReplaced(Hello hello, VolumeRecord record) {
        return !hello.getVolumeId().isEmpty()
                && (!hello.getVolumeId().equals(ControlFrame.idBytes(UUID.fromString(record.getUuid())))
                        || hello.getVolumeGeneration() != record.getGeneration());
    }

    private boolean isOvertaken(Hello hello) {
        for (VolumeConnection connection : connections) {
            if (isOfSession(connection, hello)
                    && (connection.life() > VolumeConnection.life(hello.getIncarnation())
                            || (connection.queue() == hello.getQueue()
                                    && connection.incarnation() >= hello.getIncarnation()))) {
                return true;
            }
        }
        return false;
    }

    private void openForWriting(Hello hello, VolumeRecord record, ClientEnd client, OpenAnswer answer)
            throws IOException, VolumeException {
        Lease.Refusal refusal = lease.refusal(hello, record, isConnected(record.getLeaseHolder()));
        if (refusal != null) {
            client.refuse(answer, refusal.code(), refusal.message(), refusal.holder());
            return;
        }
        VolumeRecord granted = lease.grant(hello, record);
        if (granted.getLeaseEpoch() != record.getLeaseEpoch() && record.hasLeaseHolder()) {
            LOG.info(
                    "volume {}: {} took over from {}, epoch {}",
                    record.getName(),
                    granted.getLeaseHolder().getClientName(),
                    record.getLeaseHolder().getClientName(),
                    granted.getLeaseEpoch());
        }
        admit(hello, granted, granted.getLeaseEpoch(), client, answer);
    }

    private boolean isConnected(LeaseHolder holder) {
        for (VolumeConnection connection : connections) {
            if (connection.isWriter()
                    && connection.isConnected()
                    && connection.isOfSession(holder.getClientId(), holder.getSessionId())) {
                return true;
            }
        }
        return false;
    }

    private void admit(Hello hello, VolumeRecord record, long epoch, ClientEnd client, OpenAnswer answer) {
        VolumeConnection connection = new VolumeConnection(
                this,
                volume.store(client.loop(), hello.getReadOnly()),
                hello,
                client,
                record,
                epoch,
                verifier.of(record, volume.mapLife()));
        List<VolumeConnection> older = toFence(connection);
        connections.add(connection);
        fence(older, () -> client.admit(answer, connection));
        for (VolumeConnection old : older) {
            if (old.isOfSession(connection.clientId(), connection.sessionId())) {
                old.disconnect();
            } else {
                old.fileStore().tellLeaseLost(connection.clientName());
            }
        }
    }

    private void fence(List<VolumeConnection> fenced, Runnable drained) {
        connections.removeAll(fenced);
        // One more than there are, so that nobody is told before the last of them was looked at.
        Countdown pending = new Countdown(fenced.size() + 1, drained);
        for (VolumeConnection old : fenced) {
            if (!ended.contains(old)) {
                ended.add(old);
            }
            old.fileStore().fence(pending);
        }
        pending.run();
    }

    // For a new writer, every connection of an older epoch; for a connection that is made anew, the older ones of its
    // queue; for one of a new process, all of the process that died, which may have sent again on one queue what the
    // new
    // one overwrites on another. Those that have ended count as long as the disk still works for them.
    private List<VolumeConnection> toFence(VolumeConnection connection) {
        List<VolumeConnection> fenced = new ArrayList<>();
        for (VolumeConnection old : allConnections()) {
            if (isInTheWay(old, connection)) {
                fenced.add(old);
            }
        }
        return fenced;
    }

    private List<VolumeConnection> allConnections() {
        List<VolumeConnection> all = new ArrayList<>(connections);
        all.addAll(ended);
        return all;
    }

    private static boolean isInTheWay(VolumeConnection old, VolumeConnection connection) {
        boolean succeeded = old.isOfSession(connection.clientId(), connection.sessionId())
                && (old.queue() == connection.queue() || old.life() < connection.life());
        return succeeded || (connection.isWriter() && old.isWriter() && old.epoch() < connection.epoch());
    }

    private static boolean isOfSession(VolumeConnection connection, Hello hello) {
        return connection.isOfSession(hello.getClientId(), hello.getSessionId());
    }

    private void giveBackLease(VolumeConnection last) {
        for (VolumeConnection other : connections) {
            if (other.isWriter() && other.isOfSession(last.clientId(), last.sessionId())) {
                return;
            }
        }
        try {
            lease.giveBack(last);
        } catch (IOException | VolumeException e) {
            LOG.warn(
                    "volume {}: {} stays its holder, its goodbye could not be recorded",
                    volume.name(),
                    last.clientName(),
                    e);
        }
    }
}
