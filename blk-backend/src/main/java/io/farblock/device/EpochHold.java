package io.farblock.device;

import io.farblock.block.MemoryHold;
import io.farblock.memory.AccessFence;
import io.farblock.memory.MemoryEpoch;

/** An epoch of a queue's memory, as the store knows it. */
record EpochHold(MemoryEpoch epoch) implements MemoryHold {
    @Override
    public void retain() {
        epoch.retain();
    }

    @Override
    public void release() {
        epoch.release();
    }

    @Override
    public void fence() {
        if (!epoch.isStable()) {
            AccessFence.check();
        }
    }
}
