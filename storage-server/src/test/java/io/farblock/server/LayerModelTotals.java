package io.farblock.server;

import java.util.Map;
import java.util.TreeMap;

/** What seeds have met. */
final class LayerModelTotals {
    /** How often each operation was done to its end. */
    final Map<String, Integer> done = new TreeMap<>();
    /** How often the power went, or the process, in the middle of each. */
    final Map<String, Integer> interrupted = new TreeMap<>();

    int mergedLayers;
    int crashesInARestart;
    /** How many flipped bits were found. */
    int rottenBlocks;

    /** Adds what others have met. */
    void add(LayerModelTotals more) {
        more.done.forEach((operation, count) -> done.merge(operation, count, Integer::sum));
        more.interrupted.forEach((operation, count) -> interrupted.merge(operation, count, Integer::sum));
        mergedLayers += more.mergedLayers;
        crashesInARestart += more.crashesInARestart;
        rottenBlocks += more.rottenBlocks;
    }

    @Override
    public String toString() {
        return "done " + done + "\ninterrupted " + interrupted + "\nmerged layers " + mergedLayers
                + ", crashes in a restart " + crashesInARestart + ", flipped bits " + rottenBlocks;
    }
}
