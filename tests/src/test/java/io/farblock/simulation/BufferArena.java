package io.farblock.simulation;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.UnpooledDirectByteBuf;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Direct memory for one seed after the other: what processes that were killed did not give back is there again for the
 * next seed. Makes direct buffers only. One thread.
 */
public final class BufferArena extends AbstractByteBufAllocator {
    private static final int CLASSES = 24;
    private static final int SMALLEST = 64;

    private final List<List<ByteBuffer>> all = new ArrayList<>();
    private final List<List<ByteBuffer>> free = new ArrayList<>();

    public BufferArena() {
        super(true);
        for (int i = 0; i < CLASSES; i++) {
            all.add(new ArrayList<>());
            free.add(new ArrayList<>());
        }
    }

    /** Nobody has any of its buffers any more. */
    void reset() {
        for (int i = 0; i < CLASSES; i++) {
            free.get(i).clear();
            free.get(i).addAll(all.get(i));
        }
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
        ByteBuffer whole = take(initialCapacity);
        return new ArenaBuffer(whole, initialCapacity, maxCapacity).writerIndex(0);
    }

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
        return newDirectBuffer(initialCapacity, maxCapacity);
    }

    @Override
    public CompositeByteBuf compositeBuffer(int maxComponents) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isDirectBufferPooled() {
        return true;
    }

    private ByteBuffer take(int capacity) {
        List<ByteBuffer> spare = free.get(classOf(capacity));
        if (spare.isEmpty()) {
            ByteBuffer fresh = ByteBuffer.allocateDirect(1 << classOf(capacity));
            all.get(classOf(capacity)).add(fresh);
            return fresh;
        }
        return spare.remove(spare.size() - 1);
    }

    private static int classOf(int capacity) {
        return Integer.SIZE - Integer.numberOfLeadingZeros(Math.max(SMALLEST, capacity) - 1);
    }

    private final class ArenaBuffer extends UnpooledDirectByteBuf {
        private final ByteBuffer whole;

        ArenaBuffer(ByteBuffer whole, int capacity, int maxCapacity) {
            super(BufferArena.this, whole.slice(0, capacity), maxCapacity);
            this.whole = whole;
        }

        @Override
        protected void deallocate() {
            super.deallocate();
            free.get(classOf(whole.capacity())).add(whole);
        }
    }
}
