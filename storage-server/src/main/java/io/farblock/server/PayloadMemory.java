package io.farblock.server;

import io.farblock.tls.Identity;
import io.netty.util.internal.PlatformDependent;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much direct memory the payloads of all connections take, and who may take more.
 *
 * <p>A volume may take as much again as is free. One alone gets half of all; of volumes whose disks do not answer, each
 * leaves half of the rest, so that no number of them starves another. Whatever it has, a volume may have one frame. A
 * request that finds no memory is answered with RETRY.
 *
 * <p>The same holds for each identity, however many volumes it has, which it can make as many of as it likes. Over plain
 * links all have one, and it has no limit. Calls from any thread.
 */
final class PayloadMemory {
    private final long capacityBytes;
    private final AtomicLong taken = new AtomicLong();
    // As many as there are certificates.
    private final Map<Identity, Share> identities = new ConcurrentHashMap<>();

    PayloadMemory(long capacityBytes) {
        this.capacityBytes = capacityBytes;
    }

    /** Half of what Netty may take: buffers are up to a quarter larger than what is asked for, with holes between. */
    static PayloadMemory ofThisProcess() {
        return new PayloadMemory(PlatformDependent.maxDirectMemory() / 2);
    }

    long takenBytes() {
        return taken.get();
    }

    /** One volume's, or one identity's. */
    final class Share {
        private final boolean isLimited;
        private final AtomicLong mine = new AtomicLong();

        /** Of a volume. */
        Share() {
            this(true);
        }

        private Share(boolean isLimited) {
            this.isLimited = isLimited;
        }

        /** What an identity takes of all volumes. */
        Share of(Identity who) {
            return identities.computeIfAbsent(who, added -> new Share(!who.equals(Identity.ANYBODY)));
        }

        /** Takes memory, if the volume may have it, and whoever asks. */
        boolean take(int bytes, Share identity) {
            long before = mine.getAndAdd(bytes);
            long beforeOfIdentity = identity.mine.getAndAdd(bytes);
            long all = taken.addAndGet(bytes);
            if (may(before, all) && identity.may(beforeOfIdentity, all)) {
                return true;
            }
            give(bytes, identity);
            return false;
        }

        private boolean may(long before, long all) {
            return !isLimited || before == 0 || before + all <= capacityBytes;
        }

        /** Takes or gives back what nobody can be asked for: replies that wait for a client to read them. */
        void adjust(long bytes, Share identity) {
            mine.addAndGet(bytes);
            identity.mine.addAndGet(bytes);
            taken.addAndGet(bytes);
        }

        void give(long bytes, Share identity) {
            adjust(-bytes, identity);
        }
    }
}
