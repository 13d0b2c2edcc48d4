package io.farblock.server;

import com.google.protobuf.ByteString;
import io.farblock.session.VolumeHost.OpenAnswer;
import io.farblock.wire.ControlFrame;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A volume that is open, who has it open, and who holds its lease.
 *
 * <p>All of this is decided on one thread, the server's control thread; methods that other threads call say so. The
 * lease belongs to one session of one client, for as long as the client does not say goodbye and nobody takes it over:
 * time ends no lease. It is in the catalogue before anybody hears of it.
 */
final class ServedVolume {
    private static final Logger LOG = LoggerFactory.getLogger(ServedVolume.class);
    private static final long MAX_EPOCH = 0xFFFF_FFFFL;

    private final FileVolume volume;
    private final Catalogue catalogue;
    private final DurabilityVerifier verifier;
    private final Executor control;
    // Also those that have ended, until the disk is done with the last of their work.
    private final List<VolumeConnection> connections = new ArrayList<>();
    private final List<VolumeConnection> ended = new ArrayList<>();
    private volatile long lowestEpoch;

    ServedVolume(
            FileVolume volume,
            VolumeRecord record,
            Catalogue catalogue,
            DurabilityVerifier verifier,
            Executor control) {
        this.volume = volume;
        this.catalogue = catalogue;
        this.verifier = verifier;
        this.control = control;
        lowestEpoch = record.getLeaseEpoch();
    }

    FileVolume volume() {
        return volume;
    }

    /** The epoch of the lease. Any thread. */
    long lowestEpoch() {
        return lowestEpoch;
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
        } else if (isOvertaken(hello)) {
            client.refuse(
                    answer,
                    RefusalCode.REFUSAL_CODE_STALE_INCARNATION,
                    "queue " + hello.getQueue() + " of this session has a newer connection",
                    "");
        } else if (hello.getReadOnly()) {
            admit(hello, record, 0, client, answer);
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
                releaseLease(connection);
            }
            connection.fileStore().fence(() -> control.execute(() -> ended.remove(connection)));
        });
    }

    /** Ends every connection, so that the clients come back and compare the durability verifier. */
    void disconnectAll() {
        for (VolumeConnection connection : connections) {
            connection.disconnect();
        }
    }

    /** Fences every connection; calls back once the disk is done with all of them, on any thread. */
    void drain(Runnable drained) {
        List<VolumeConnection> all = new ArrayList<>(connections);
        all.addAll(ended);
        AtomicInteger pending = new AtomicInteger(all.size() + 1);
        Runnable one = () -> {
            if (pending.decrementAndGet() == 0) {
                drained.run();
            }
        };
        for (VolumeConnection connection : all) {
            connection.fileStore().fence(one);
        }
        one.run();
    }

    /** Who has the volume open or holds its lease, the writer first. */
    List<VolumeStatus.Client> clients(VolumeRecord record) {
        List<VolumeStatus.Client> clients = new ArrayList<>();
        for (VolumeConnection connection : connections) {
            if (isFirstOfSession(connection)) {
                clients.add(connection.isWriter() ? 0 : clients.size(), describe(connection));
            }
        }
        if (clients.isEmpty() || !clients.get(0).writer()) {
            clients.addAll(0, absentHolder(record));
        }
        return clients;
    }

    /** The holder of the lease, of a volume to which it has no connection. */
    static List<VolumeStatus.Client> absentHolder(VolumeRecord record) {
        return record.hasLeaseHolder()
                ? List.of(new VolumeStatus.Client(record.getLeaseHolder().getClientName(), "", true, 0))
                : List.of();
    }

    private static boolean isReplaced(Hello hello, VolumeRecord record) {
        return !hello.getVolumeId().isEmpty()
                && (!hello.getVolumeId().equals(ControlFrame.idBytes(UUID.fromString(record.getUuid())))
                        || hello.getVolumeGeneration() != record.getGeneration());
    }

    private boolean isOvertaken(Hello hello) {
        for (VolumeConnection connection : connections) {
            if (isSameQueue(connection, hello) && connection.incarnation() >= hello.getIncarnation()) {
                return true;
            }
        }
        return false;
    }

    private void openForWriting(Hello hello, VolumeRecord record, ClientEnd client, OpenAnswer answer)
            throws IOException, VolumeException {
        LeaseHolder holder = record.getLeaseHolder();
        long wanted = Integer.toUnsignedLong(hello.getWantedEpoch());
        if (record.hasLeaseHolder() && isHolder(holder, hello)) {
            if (wanted != 0 && wanted != record.getLeaseEpoch()) {
                refuseStale(record, client, answer);
            } else {
                admit(hello, record, record.getLeaseEpoch(), client, answer);
            }
        } else if (wanted != 0 && (record.hasLeaseHolder() || wanted != record.getLeaseEpoch())) {
            refuseStale(record, client, answer);
        } else if (!record.hasLeaseHolder() || hello.getTakeOver() || isPastLife(holder, hello)) {
            VolumeRecord granted = grantLease(hello, record);
            admit(hello, granted, granted.getLeaseEpoch(), client, answer);
        } else {
            client.refuse(
                    answer,
                    RefusalCode.REFUSAL_CODE_HELD,
                    "volume " + record.getName() + " is held for writing by " + holder.getClientName(),
                    holder.getClientName());
        }
    }

    private static void refuseStale(VolumeRecord record, ClientEnd client, OpenAnswer answer) {
        String holder = record.getLeaseHolder().getClientName();
        client.refuse(
                answer,
                RefusalCode.REFUSAL_CODE_STALE_EPOCH,
                "volume " + record.getName() + " was taken over" + (holder.isEmpty() ? "" : " by " + holder),
                holder);
    }

    // A client that lost its memory of the session, and of which nothing is connected any more: its own lease does not
    // keep it out. What is left of the old session is fenced by the new epoch.
    private boolean isPastLife(LeaseHolder holder, Hello hello) {
        if (!holder.getClientId().equals(hello.getClientId())) {
            return false;
        }
        for (VolumeConnection connection : connections) {
            if (connection.isWriter() && connection.isOfSession(holder.getClientId(), holder.getSessionId())) {
                return false;
            }
        }
        return true;
    }

    private VolumeRecord grantLease(Hello hello, VolumeRecord record) throws IOException, VolumeException {
        // The same client coming back after a goodbye that overtook it: nobody had the volume in between.
        boolean continues = hello.getWantedEpoch() != 0;
        long epoch = record.getLeaseEpoch() + (continues ? 0 : 1);
        if (epoch > MAX_EPOCH) {
            throw new IOException("the lease of volume " + record.getName() + " has changed hands 2^32 times");
        }
        VolumeRecord granted = catalogue.update(
                record.getName(), changed -> changed.setLeaseEpoch(epoch).setLeaseHolder(holder(hello)));
        lowestEpoch = epoch;
        if (record.hasLeaseHolder()) {
            LOG.info(
                    "volume {}: {} took over from {}, epoch {}",
                    record.getName(),
                    granted.getLeaseHolder().getClientName(),
                    record.getLeaseHolder().getClientName(),
                    epoch);
        }
        return granted;
    }

    private void admit(Hello hello, VolumeRecord record, long epoch, ClientEnd client, OpenAnswer answer) {
        VolumeConnection connection = new VolumeConnection(
                this,
                volume.store(client.loop(), hello.getReadOnly()),
                hello,
                client.address(),
                record.getGeneration(),
                epoch,
                verifier.of(record),
                client.disconnect());
        List<VolumeConnection> fenced = toFence(connection);
        connections.removeAll(fenced);
        connections.add(connection);
        // One more than there are, so that the answer cannot come before the last of them was looked at.
        AtomicInteger pending = new AtomicInteger(fenced.size() + 1);
        Runnable drained = () -> {
            if (pending.decrementAndGet() == 0) {
                client.admit(answer, connection);
            }
        };
        for (VolumeConnection old : fenced) {
            fence(old, connection, drained);
        }
        drained.run();
    }

    private void fence(VolumeConnection old, VolumeConnection by, Runnable drained) {
        if (!ended.contains(old)) {
            ended.add(old);
        }
        old.fileStore().fence(drained);
        if (old.isOfSession(by.clientId(), by.sessionId())) {
            old.disconnect();
        } else {
            old.fileStore().tellLeaseLost(by.clientName());
        }
    }

    // For a new writer, every connection of an older epoch; for a connection that is made anew, the older ones of its
    // queue. Those that have ended count as long as the disk still works for them.
    private List<VolumeConnection> toFence(VolumeConnection connection) {
        List<VolumeConnection> fenced = new ArrayList<>();
        for (VolumeConnection old : connections) {
            if (isInTheWay(old, connection)) {
                fenced.add(old);
            }
        }
        for (VolumeConnection old : ended) {
            if (isInTheWay(old, connection)) {
                fenced.add(old);
            }
        }
        return fenced;
    }

    private static boolean isInTheWay(VolumeConnection old, VolumeConnection connection) {
        boolean sameQueue =
                old.isOfSession(connection.clientId(), connection.sessionId()) && old.queue() == connection.queue();
        return sameQueue || (connection.isWriter() && old.isWriter() && old.epoch() < connection.epoch());
    }

    private static boolean isSameQueue(VolumeConnection connection, Hello hello) {
        return connection.isOfSession(hello.getClientId(), hello.getSessionId())
                && connection.queue() == hello.getQueue();
    }

    private void releaseLease(VolumeConnection last) {
        for (VolumeConnection other : connections) {
            if (other.isWriter() && other.isOfSession(last.clientId(), last.sessionId())) {
                return;
            }
        }
        try {
            VolumeRecord record = catalogue.find(volume.name());
            if (last.isOfSession(
                    record.getLeaseHolder().getClientId(),
                    record.getLeaseHolder().getSessionId())) {
                catalogue.update(volume.name(), VolumeRecord.Builder::clearLeaseHolder);
            }
        } catch (IOException | VolumeException e) {
            LOG.warn(
                    "volume {}: {} stays its holder, the release could not be recorded",
                    volume.name(),
                    last.clientName(),
                    e);
        }
    }

    private static boolean isHolder(LeaseHolder holder, Hello hello) {
        return holder.getClientId().equals(hello.getClientId())
                && holder.getSessionId().equals(hello.getSessionId());
    }

    private static LeaseHolder holder(Hello hello) {
        return LeaseHolder.newBuilder()
                .setClientId(hello.getClientId())
                .setSessionId(hello.getSessionId())
                .setClientName(Names.printable(hello.getClientName()))
                .build();
    }

    private boolean isFirstOfSession(VolumeConnection connection) {
        for (VolumeConnection other : connections) {
            if (other.isOfSession(connection.clientId(), connection.sessionId())) {
                return other == connection;
            }
        }
        return false;
    }

    private VolumeStatus.Client describe(VolumeConnection connection) {
        ByteString client = connection.clientId();
        ByteString session = connection.sessionId();
        int queues = 0;
        for (VolumeConnection other : connections) {
            queues += other.isOfSession(client, session) ? 1 : 0;
        }
        return new VolumeStatus.Client(connection.clientName(), connection.address(), connection.isWriter(), queues);
    }
}
