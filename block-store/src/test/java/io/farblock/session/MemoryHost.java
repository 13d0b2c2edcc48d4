package io.farblock.session;

import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.MemoryStore;
import io.farblock.block.StoreInfo;
import io.farblock.wire.proto.Encryption;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executor;

/** A server with one volume in memory, under one lease. */
public final class MemoryHost implements VolumeHost {
    /** The name of the volume. */
    public static final String VOLUME = "disk-1";

    private final Executor loop;
    private final ByteBuffer bytes;
    private final ByteBuffer durable;
    private StoreInfo info;
    private final List<Opened> open = new ArrayList<>();
    private final List<Hello> hellos = new ArrayList<>();
    private int leaveCount;
    private long generation = 1;
    private long epoch = 1;
    private long lowestEpoch = 1;
    private long verifier = 77;
    private boolean holdNew;
    private boolean sharedWriters;
    private Encryption encryption;
    private BlockStatus failNew;
    private boolean lastFirst;
    private RefusalCode refusal = RefusalCode.REFUSAL_CODE_UNSPECIFIED;

    public MemoryHost(Executor loop, StoreInfo info) {
        this.loop = loop;
        this.info = info;
        bytes = ByteBuffer.allocateDirect((int) info.sizeBytes());
        durable = ByteBuffer.allocateDirect((int) info.sizeBytes());
    }

    /** An info of a volume with everything that version 1 can do. */
    public static StoreInfo info(long sizeBytes) {
        return new StoreInfo(new UUID(1, 2), sizeBytes, 512, false, 4096, 1L << 30, 256);
    }

    /** What the volume holds. */
    public ByteBuffer bytes() {
        return bytes;
    }

    /** The hellos so far. */
    public List<Hello> hellos() {
        return hellos;
    }

    /** The store of the connection that was opened last. */
    public MemoryStore store() {
        return open.get(open.size() - 1).store;
    }

    /** The store of the connection that a client has. */
    MemoryStore store(SessionPair pair) {
        for (Opened opened : open) {
            if (opened.queue == pair.queue) {
                return opened.store;
            }
        }
        throw new AssertionError("queue " + pair.queue + " is not connected");
    }

    /** How many writes the connections of now have been given. */
    long writesSeen() {
        return open.stream().mapToLong(opened -> opened.store.writesSeen()).sum();
    }

    /** How many connections have the volume open. */
    public int openCount() {
        return open.size();
    }

    /** How many clients have said goodbye. */
    public int leaveCount() {
        return leaveCount;
    }

    /** Refuses every hello from now on; unspecified for none. */
    public void refuse(RefusalCode code) {
        refusal = code;
    }

    /** The volume was deleted and made again. */
    public void replace() {
        generation++;
    }

    /** The volume is encrypted like this, says the server from now on. */
    void encrypt(Encryption how) {
        encryption = how;
    }

    /** Another client has taken the volume over. */
    public void takeOver() {
        lowestEpoch = ++epoch;
    }

    /** The server says that its host has lost what was not flushed. */
    public void newVerifier() {
        verifier++;
    }

    /** The server's host has lost what was not flushed; who has a connection to it does not know yet. */
    public void crash() {
        newVerifier();
        bytes.put(0, durable, 0, bytes.capacity());
        open.forEach(opened -> opened.store.die());
        open.clear();
    }

    /** What a crash would leave. */
    public ByteBuffer durable() {
        return durable;
    }

    /** Other clients may write as well. */
    public void shareWriters() {
        sharedWriters = true;
    }

    /** The last crash lost something, and only a connection was lost. */
    public void oldVerifier() {
        verifier--;
    }

    /** Holds what connections ask for, from now on and made from now on, as {@link MemoryStore#hold} does. */
    public void holdNew(boolean on) {
        holdNew = on;
        open.forEach(opened -> opened.store.hold(on));
    }

    /** Ends what connections ask for, from now on and made from now on, with this; null for none. */
    public void failNew(BlockStatus status) {
        failNew = status;
        open.forEach(opened -> opened.store.failWith(status));
    }

    /** Has connections from now on do what is in flight together in the reverse order. */
    public void lastFirst() {
        lastFirst = true;
    }

    /** The volume has another size. */
    public void resize(long sizeBytes) {
        info = info(sizeBytes);
        open.forEach(opened -> opened.store.resize(info));
    }

    @Override
    public void open(Hello hello, OpenAnswer answer) {
        hellos.add(hello);
        if (refusal != RefusalCode.REFUSAL_CODE_UNSPECIFIED) {
            answer.refused(refusal, "refused by the test", "node-b");
        } else if (!hello.getVolume().equals(VOLUME)) {
            answer.refused(RefusalCode.REFUSAL_CODE_NO_SUCH_VOLUME, "there is no volume " + hello.getVolume(), "");
        } else {
            Opened opened = new Opened(new MemoryStore(loop, info, bytes).durable(durable), hello.getQueue());
            opened.store.hold(holdNew);
            opened.store.failWith(failNew);
            opened.store.lastFirst(lastFirst);
            open.add(opened);
            // Later, as a server that has a lease to write down answers.
            loop.execute(() -> answer.opened(opened));
        }
    }

    @Override
    public String serverName() {
        return "test-server";
    }

    private final class Opened implements OpenVolume {
        private final MemoryStore store;
        private final int queue;
        private final long grantedEpoch = epoch;

        Opened(MemoryStore store, int queue) {
            this.store = store;
            this.queue = queue;
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
            return grantedEpoch;
        }

        @Override
        public long lowestEpoch() {
            return lowestEpoch;
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
        public void leave() {
            leaveCount++;
        }

        @Override
        public void close() {
            open.remove(this);
        }
    }
}
