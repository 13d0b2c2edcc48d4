package io.farblock.session;

import io.farblock.block.MemoryHold;
import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Views of payload memory that is sent or received without a copy, kept for use again. One for each loop or session.
 *
 * <p>A view holds its memory from {@link #take} until the network lets go of it, also after a disconnect. Making one
 * costs some hundred bytes, which is why those given back wait for the next payload in the same memory.
 */
final class GatherViews {
    /** As many pages of 4 KiB as a server usually allows in flight: 16 MiB. */
    private static final int MAX_KEPT = 4096;

    /** Payloads that follow each other mostly lie in the same few mappings, so the right view is near the end. */
    private static final int SEARCHED = 8;

    private GatherView[] free = new GatherView[64];
    private int freeCount;

    /** A view of {@code length} bytes from absolute index {@code offset} on. Retains the hold. */
    ByteBuf take(ByteBuffer memory, int offset, int length, MemoryHold hold) {
        return find(memory).begin(offset, length, length, hold);
    }

    /** A view that nothing has been written to yet. */
    ByteBuf takeEmpty(ByteBuffer memory, int offset, int length, MemoryHold hold) {
        return find(memory).begin(offset, length, 0, hold);
    }

    private GatherView find(ByteBuffer memory) {
        for (int i = freeCount - 1; i >= Math.max(0, freeCount - SEARCHED); i--) {
            GatherView view = free[i];
            if (view.isOf(memory)) {
                free[i] = free[--freeCount];
                free[freeCount] = null;
                return view;
            }
        }
        if (freeCount > 0) {
            // Its memory is perhaps gone for ever: make room, or the list would fill with such views.
            free[--freeCount] = null;
        }
        return new GatherView(this, memory);
    }

    void giveBack(GatherView view) {
        if (freeCount == free.length && freeCount < MAX_KEPT) {
            free = Arrays.copyOf(free, freeCount * 2);
        }
        if (freeCount < free.length) {
            free[freeCount++] = view;
        }
    }
}
