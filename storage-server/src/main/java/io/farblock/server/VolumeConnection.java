package io.farblock.server;

import com.google.protobuf.ByteString;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.meter.RequestCounters;
import io.farblock.meter.StageTimes;
import io.farblock.session.OpenVolume;
import io.farblock.wire.proto.Encryption;
import io.farblock.wire.proto.Hello;
import java.util.List;

/** One connection to a volume. Made on the control thread, then called on the session's loop only. */
final class VolumeConnection implements OpenVolume {
    private final ServedVolume served;
    private final FileStore store;
    private final Hello hello;
    private final ClientEnd client;
    private final PayloadMemory.Share ofIdentity;
    private final long generation;
    private final boolean sharedWriters;
    private final Encryption encryption;
    private final long epoch;
    private final long verifier;
    private final RequestCounters counters;
    private final StageTimes times;
    private long unread;
    private boolean left;
    private boolean closed;
    // Guarded by the list of the volume's connections.
    private boolean noted;

    VolumeConnection(
            ServedVolume served,
            FileStore store,
            Hello hello,
            ClientEnd client,
            VolumeRecord record,
            long epoch,
            long verifier) {
        this.served = served;
        this.store = store;
        this.hello = hello;
        this.client = client;
        ofIdentity = served.memory().of(client.identity());
        generation = record.getGeneration();
        sharedWriters = record.getSharedWriters();
        encryption = EncryptionForms.ofWire(record);
        this.epoch = epoch;
        this.verifier = verifier;
        counters = served.volume().counters().of(client.loop());
        times = served.volume().times().of(client.loop());
    }

    @Override
    public BlockStore store() {
        return store;
    }

    @Override
    public long generation() {
        return generation;
    }

    @Override
    public long epoch() {
        return epoch;
    }

    @Override
    public long lowestEpoch() {
        return isWriter() ? served.lowestEpoch() : 0;
    }

    @Override
    public boolean hasSharedWriters() {
        return sharedWriters;
    }

    @Override
    public Encryption encryption() {
        return encryption;
    }

    @Override
    public long durabilityVerifier() {
        return verifier;
    }

    @Override
    public boolean takeMemory(int bytes) {
        return served.memory().take(bytes, ofIdentity);
    }

    @Override
    public void giveMemory(int bytes) {
        served.memory().give(bytes, ofIdentity);
    }

    @Override
    public boolean allows(BlockOperation operation, long lengthBytes) {
        return served.allows(operation, lengthBytes);
    }

    @Override
    public void ended(
            BlockOperation operation,
            long lengthBytes,
            BlockStatus status,
            long receivedNanos,
            long submittedNanos,
            long startedNanos,
            long repliedNanos) {
        counters.ended(operation, lengthBytes, status, repliedNanos - receivedNanos);
        times.add(operation, receivedNanos, submittedNanos, startedNanos, repliedNanos);
    }

    @Override
    public void leave() {
        left = true;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            store.close();
            served.disconnected(this, left);
        }
    }

    /** Says how many bytes of replies wait for the client to read them. */
    void unreadBytes(long bytes) {
        if (bytes != unread) {
            served.memory().adjust(bytes - unread, ofIdentity);
            unread = bytes;
        }
    }

    /** Whether nobody has noted yet that the client uses the volume like this; somebody does from now on. */
    boolean isNews() {
        return served.isNews(this);
    }

    /** Any thread, as are the rest. */
    FileStore fileStore() {
        return store;
    }

    void disconnect() {
        client.disconnect().run();
    }

    /** Whether the client can still be heard; requests of one that is gone may still be at the disk. */
    boolean isConnected() {
        return client.isConnected().getAsBoolean();
    }

    boolean isWriter() {
        return !hello.getReadOnly();
    }

    boolean isOfSession(ByteString clientId, ByteString sessionId) {
        return hello.getClientId().equals(clientId) && hello.getSessionId().equals(sessionId);
    }

    ByteString clientId() {
        return hello.getClientId();
    }

    /** Whether it was allowed by publications that have ended. */
    boolean hasEnded(List<PublicationRecord> publications, VolumeRecord left) {
        return Access.hasEnded(client.identity(), hello, publications, left);
    }

    ByteString sessionId() {
        return hello.getSessionId();
    }

    /** Whether it is the same client with the same certificate and rights, whatever its queue. */
    boolean isSameUse(VolumeConnection other) {
        return isOfSession(other.clientId(), other.sessionId())
                && client.identity().equals(other.client.identity())
                && client.host().equals(other.client.host())
                && isWriter() == other.isWriter();
    }

    boolean isNoted() {
        return noted;
    }

    void note() {
        noted = true;
    }

    int queue() {
        return hello.getQueue();
    }

    long incarnation() {
        return hello.getIncarnation();
    }

    /** Which of the processes that served the session, one after the other, has made it. */
    int life() {
        return life(hello.getIncarnation());
    }

    static int life(long incarnation) {
        return (int) (incarnation >>> Integer.SIZE);
    }

    String clientName() {
        return Names.printable(hello.getClientName());
    }

    String address() {
        return client.address();
    }
}
