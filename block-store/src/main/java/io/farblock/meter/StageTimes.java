package io.farblock.meter;

import io.farblock.block.BlockOperation;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;

/**
 * How long requests took, in all and in each of the three stages that they go through one after the other. A stage begins
 * with the stamp that the one before it ends with, so that the stages of a request are exactly the whole. Written by one
 * thread, read from any.
 */
public final class StageTimes {
    /** How many stages there are. */
    public static final int STAGES = 3;

    private static final int WHOLE = STAGES;

    private final Map<BlockOperation, LatencyHistogram[]> histograms = new EnumMap<>(BlockOperation.class);

    /** Nothing was counted yet. */
    public StageTimes() {
        for (BlockOperation operation : BlockOperation.values()) {
            LatencyHistogram[] ofOperation = new LatencyHistogram[STAGES + 1];
            Arrays.setAll(ofOperation, stage -> new LatencyHistogram());
            histograms.put(operation, ofOperation);
        }
    }

    /** Counts a request by the times at which its stages began and the last one ended, none before the one before. */
    public void add(BlockOperation operation, long first, long second, long third, long end) {
        LatencyHistogram[] ofOperation = histograms.get(operation);
        ofOperation[0].add(second - first);
        ofOperation[1].add(third - second);
        ofOperation[2].add(end - third);
        ofOperation[WHOLE].add(end - first);
    }

    /** The times of a stage, from 0. */
    public LatencyHistogram stage(BlockOperation operation, int stage) {
        if (stage >= STAGES) {
            throw new IllegalArgumentException("stage " + stage);
        }
        return histograms.get(operation)[stage];
    }

    /** The times of all stages together. */
    public LatencyHistogram whole(BlockOperation operation) {
        return histograms.get(operation)[WHOLE];
    }
}
