package io.farblock.block;

import java.util.function.BooleanSupplier;

/** A store on a {@link TestLoop}: the test's own thread runs it. */
public record LoopFixture(TestLoop loop, BlockStore store) implements BlockStoreContract.Fixture {
    private static final long STEP_NANOS = 100_000_000;
    private static final int STEPS = 100;

    @Override
    public void onLoop(Runnable task) {
        task.run();
        loop.runTasks();
    }

    @Override
    public void await(BooleanSupplier condition) {
        for (int i = 0; i < STEPS && !condition.getAsBoolean(); i++) {
            loop.advance(STEP_NANOS);
        }
        if (!condition.getAsBoolean()) {
            throw new AssertionError("it did not come true within 10 s of virtual time");
        }
    }

    @Override
    public void close() {
        store.close();
        loop.runTasks();
    }
}
