package io.farblock.daemon;

import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.UUID;
import java.util.concurrent.Executor;

/** The store of a device that nobody knows the volume of any more: every request ends with IO_ERROR. On its loop. */
final class FailingStore implements BlockStore {
    private static final StoreInfo NOTHING = new StoreInfo(new UUID(0, 0), 0, 512, false, 0, 0, 1);

    private final Executor loop;
    private final Deque<BlockRequest> submitted = new ArrayDeque<>();

    FailingStore(Executor loop) {
        this.loop = loop;
    }

    @Override
    public StoreInfo info() {
        return NOTHING;
    }

    @Override
    public void submit(BlockRequest request) {
        request.submitted();
        submitted.add(request);
        // Never from inside submit.
        loop.execute(() -> cancel(BlockStatus.IO_ERROR));
    }

    @Override
    public void drain(Runnable drained) {
        cancel(BlockStatus.IO_ERROR);
        drained.run();
    }

    @Override
    public void cancel(BlockStatus status) {
        for (int left = submitted.size(); left > 0; left--) {
            submitted.remove().complete(status);
        }
    }

    @Override
    public void listen(StoreListener listener) {
        // It never changes.
    }

    @Override
    public void close() {
        cancel(BlockStatus.IO_ERROR);
    }
}
