package io.farblock.server;

import io.netty.util.internal.PlatformDependent;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How much direct memory the payloads of all connections take, and who may take more.
 *
 * <p>A volume may take as much again as is free. One alone gets half of all; of volumes whose disks do not answer, each
 * leaves half of the rest, so that no number of them starves another. Whatever it has, a volume may have one frame. A
 * request that finds no memory is answered with RETRY. Calls from any thread.
 */
final class PayloadMemory {
    private final long capacityBytes;
    private final AtomicLong taken = new AtomicLong();

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

    /** One volume's. */
    final class Share {
        private final AtomicLong mine = new AtomicLong();

        /** Takes memory, if the volume may have it. */
        boolean take(int bytes) {
            long before = mine.getAndAdd(bytes);
            long all = taken.addAndGet(bytes);
            if (before == 0 || before + all <= capacityBytes) {
                return true;
            }
            give(bytes);
            return false;
        }

        /** Takes or gives back what nobody can be asked for: replies that wait for a client to read them. */
        void adjust(long bytes) {
            mine.addAndGet(bytes);
            taken.addAndGet(bytes);
        }

        void give(long bytes) {
            adjust(-bytes);
        }
    }
}
