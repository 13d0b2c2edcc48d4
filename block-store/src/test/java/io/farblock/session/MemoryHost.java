package io.farblock.session;

import io.farblock.block.BlockStore;
import io.farblock.block.MemoryStore;
import io.farblock.block.StoreInfo;
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
    private StoreInfo info;
    private final List<Opened> open = new ArrayList<>();
    private final List<Hello> hellos = new ArrayList<>();
    private int leaveCount;
    private long generation = 1;
    private long epoch = 1;
    private long lowestEpoch = 1;
    private long verifier = 77;
    private RefusalCode refusal = RefusalCode.REFUSAL_CODE_UNSPECIFIED;

    public MemoryHost(Executor loop, StoreInfo info) {
        this.loop = loop;
        this.info = info;
        bytes = ByteBuffer.allocateDirect((int) info.sizeBytes());
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

    /** Another client has taken the volume over. */
    public void takeOver() {
        lowestEpoch = ++epoch;
    }

    /** The server's host has lost what was not flushed. */
    public void newVerifier() {
        verifier++;
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
            Opened opened = new Opened(new MemoryStore(loop, info, bytes));
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
        private final long grantedEpoch = epoch;

        Opened(MemoryStore store) {
            this.store = store;
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
