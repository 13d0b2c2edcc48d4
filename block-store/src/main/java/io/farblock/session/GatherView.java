package io.farblock.session;

import io.farblock.block.MemoryHold;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.buffer.UnpooledDirectByteBuf;
import java.nio.ByteBuffer;

/** A run of bytes in somebody else's memory, as a buffer of the network's; see {@link GatherViews}. */
final class GatherView extends UnpooledDirectByteBuf {
    private final GatherViews owner;
    private final ByteBuffer memory;
    private MemoryHold hold = MemoryHold.NONE;
    private int end;

    GatherView(GatherViews owner, ByteBuffer memory) {
        super(UnpooledByteBufAllocator.DEFAULT, memory.duplicate().clear(), memory.capacity());
        this.owner = owner;
        this.memory = memory;
    }

    @SuppressWarnings("ReferenceEquality") // Two buffers with equal bytes are not the same memory.
    boolean isOf(ByteBuffer other) {
        return memory == other;
    }

    GatherView begin(int offset, int length, int written, MemoryHold newHold) {
        resetRefCnt();
        end = offset + length;
        setIndex(offset, offset + written);
        hold = newHold;
        hold.retain();
        return this;
    }

    /** What is behind the run is somebody else's. */
    @Override
    public int capacity() {
        // The superclass asks before there is a run.
        return end == 0 ? super.capacity() : end;
    }

    /** The last user has let go: the memory is not ours to free. */
    @Override
    protected void deallocate() {
        MemoryHold released = hold;
        hold = MemoryHold.NONE;
        owner.giveBack(this);
        released.release();
    }
}
