package io.farblock.metrics;

/** Who knows the values. Called on the port's collecting thread, never by two at a time. */
public interface MetricSource {
    /** Adds all that there is to say now; may wait for a lock or a look at the disk, never for a request. */
    void collect(Samples samples);

    /** Whether the process does what it is there for. From any thread, at once. */
    boolean isReady();
}
