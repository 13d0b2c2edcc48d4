package io.farblock.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.block.BlockStoreContract;
import io.farblock.block.LoopFixture;
import io.farblock.block.TestLoop;
import io.netty.buffer.UnpooledByteBufAllocator;

/** The contract over both state machines, with the bytes split in pieces of up to 17, so that no frame comes whole. */
class SessionContractTest extends BlockStoreContract {
    @Override
    protected Fixture open() {
        TestLoop loop = new TestLoop();
        SessionPair pair = new SessionPair(
                loop,
                new MemoryHost(loop, MemoryHost.info(SIZE_BYTES)),
                SessionPair.OPTIONS,
                ServerLimits.DEFAULT,
                UnpooledByteBufAllocator.DEFAULT);
        pair.splitToServer = all -> all > 100_000 ? all : 17;
        pair.splitToClient = all -> all > 100_000 ? all : 17;
        pair.open();
        assertThat(pair.events).containsExactly("opened, replayed 0");
        return new LoopFixture(loop, pair.client);
    }
}
