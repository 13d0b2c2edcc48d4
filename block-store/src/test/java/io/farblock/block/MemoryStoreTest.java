package io.farblock.block;

import java.nio.ByteBuffer;
import java.util.UUID;

class MemoryStoreTest extends BlockStoreContract {
    @Override
    protected Fixture open() {
        TestLoop loop = new TestLoop();
        StoreInfo info = new StoreInfo(new UUID(1, 2), SIZE_BYTES, 512, false, 4096, 1L << 30, 256);
        return new LoopFixture(loop, new MemoryStore(loop, info, ByteBuffer.allocateDirect(SIZE_BYTES)));
    }
}
