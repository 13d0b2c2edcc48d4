package io.farblock.server;

/**
 * Layers that are open, to be laid over those of a volume: changes go to the last of them once this is run.
 *
 * @param more the layers that are there, and the new ones above them
 * @param before how many are there
 * @param sizeBytes of the volume
 */
record LayerTurn(Layers layers, LayerChain more, int before, long sizeBytes) implements Runnable {
    /** Between writes of the volume. */
    @Override
    public void run() {
        layers.layOver(more, sizeBytes);
    }

    /** Closes what was opened, if nobody can see it. */
    void closeUnlessRun() {
        if (layers.chain() != more) {
            for (int i = before; i < more.count(); i++) {
                more.layer(i).close();
            }
        }
    }
}
