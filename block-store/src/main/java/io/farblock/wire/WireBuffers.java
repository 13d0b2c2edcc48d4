package io.farblock.wire;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;

/** The pool that both ends take the memory of frames from. For any thread; fastest on an event loop's. */
public final class WireBuffers {
    /** 8 KiB pages times 2^11 are chunks of 16 MiB: what a connection has in flight fits one, and none is made anew. */
    private static final int MAX_ORDER = 11;

    private static final PooledByteBufAllocator POOL = new PooledByteBufAllocator(
            true,
            0,
            Runtime.getRuntime().availableProcessors(),
            PooledByteBufAllocator.defaultPageSize(),
            MAX_ORDER,
            PooledByteBufAllocator.defaultSmallCacheSize(),
            PooledByteBufAllocator.defaultNormalCacheSize(),
            false);

    private WireBuffers() {}

    /** The pool, of direct memory. */
    public static ByteBufAllocator pool() {
        return POOL;
    }
}
