package io.farblock.client;

import io.farblock.block.BlockStoreContract;

/** The contract over a TCP connection. */
class RemoteContractTest extends BlockStoreContract {
    @Override
    protected Fixture open() {
        return new RemoteFixture(SIZE_BYTES);
    }
}
