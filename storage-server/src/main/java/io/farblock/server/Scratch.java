package io.farblock.server;

import io.farblock.linux.NativeMemory;
import java.nio.ByteBuffer;

/**
 * The memory of one worker thread between the disk and payloads.
 *
 * <p>A payload goes back to its owner the moment its request is cancelled, while a system call cannot be called back;
 * so a worker's system calls touch this memory only.
 */
final class Scratch {
    /** A multiple of every block size, and long enough that a system call's own cost does not matter. */
    static final int BYTES = 1 << 20;

    private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

    private final NativeMemory memory = new NativeMemory(BYTES);
    private final ByteBuffer buffer = memory.buffer();
    private final BlockHasher hasher = new BlockHasher();

    private Scratch() {}

    /** The calling thread's. */
    static Scratch ofThread() {
        return OF_THREAD.get();
    }

    long address() {
        return memory.address();
    }

    ByteBuffer buffer() {
        return buffer;
    }

    /** Makes sums of blocks on this thread. */
    BlockHasher hasher() {
        return hasher;
    }

    void clear(int lengthBytes) {
        for (int i = 0; i < lengthBytes; i += Long.BYTES) {
            buffer.putLong(i, 0);
        }
    }
}
