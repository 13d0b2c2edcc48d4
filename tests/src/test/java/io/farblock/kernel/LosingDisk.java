package io.farblock.kernel;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.random.RandomGenerator;

/**
 * A disk in memory with a cache of its own: what was written and not flushed may be gone when the power fails, each block
 * for itself and in any order. A block of 4 KiB is never torn, as on the disks of today. One thread at a time.
 */
final class LosingDisk {
    static final int BLOCK_BYTES = 4096;

    // Null for zeros.
    private final byte[][] durable;
    // What was written to a block since the last flush, the oldest first.
    private final Map<Integer, List<byte[]>> cached = new TreeMap<>();

    LosingDisk(long sizeBytes) {
        durable = new byte[Math.toIntExact(sizeBytes / BLOCK_BYTES)][];
    }

    int blocks() {
        return durable.length;
    }

    /** Reads whole blocks from byte {@code offset} on, as many as there is room for. */
    void read(long offset, ByteBuffer into) {
        for (int block = block(offset); into.hasRemaining(); block++) {
            byte[] content = newest(block);
            into.put(content == null ? new byte[BLOCK_BYTES] : content);
        }
    }

    private byte[] newest(int block) {
        List<byte[]> versions = cached.get(block);
        return versions == null ? durable[block] : versions.get(versions.size() - 1);
    }

    /** Writes whole blocks; past the cache if {@code forced}. */
    void write(long offset, ByteBuffer from, boolean forced) {
        for (int block = block(offset); from.hasRemaining(); block++) {
            byte[] content = new byte[BLOCK_BYTES];
            from.get(content);
            if (forced) {
                cached.remove(block);
                durable[block] = content;
            } else {
                cached.computeIfAbsent(block, key -> new ArrayList<>()).add(content);
            }
        }
    }

    /** Makes everything durable that was written before. */
    void flush() {
        cached.forEach((block, versions) -> durable[block] = versions.get(versions.size() - 1));
        cached.clear();
    }

    /**
     * Loses the power. Of each block that was written since the last flush, a version of then or, as likely as {@code
     * kept} says, one that was written since is what the disk has from now on.
     *
     * @return how many blocks have lost something
     */
    int cutPower(RandomGenerator random, double kept) {
        int lost = 0;
        for (Map.Entry<Integer, List<byte[]>> block : cached.entrySet()) {
            List<byte[]> versions = block.getValue();
            int reached = random.nextDouble() < kept ? 1 + random.nextInt(versions.size()) : 0;
            if (reached > 0) {
                durable[block.getKey()] = versions.get(reached - 1);
            }
            lost += reached < versions.size() ? 1 : 0;
        }
        cached.clear();
        return lost;
    }

    private static int block(long offset) {
        return Math.toIntExact(offset / BLOCK_BYTES);
    }
}
