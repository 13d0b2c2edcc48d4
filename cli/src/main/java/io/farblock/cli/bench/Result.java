package io.farblock.cli.bench;

import org.HdrHistogram.Histogram;

/**
 * What came of a shape.
 *
 * @param seconds with the flush at the end, if it was one of writes
 * @param flushSeconds of that flush, 0 if there was none
 * @param latencyNanos from submission to completion of each request; the flush is not in it
 */
public record Result(Shape shape, double seconds, double flushSeconds, Histogram latencyNanos) {
    private static final double NANOS_PER_MICRO = 1e3;

    /** Both of them, which ran at the same time and share a shape's requests in flight. */
    Result and(Result other) {
        Histogram both = latencyNanos.copy();
        both.add(other.latencyNanos);
        return new Result(
                shape.withDepth(shape.depth() + other.shape.depth()),
                Math.max(seconds, other.seconds),
                Math.max(flushSeconds, other.flushSeconds),
                both);
    }

    /** How many requests were completed. */
    public long requests() {
        return latencyNanos.getTotalCount();
    }

    /** Requests a second. */
    public double iops() {
        return requests() / seconds;
    }

    /** Bytes a second. */
    public double bytesPerSecond() {
        return iops() * shape.lengthBytes();
    }

    /** The latency that so many of a hundred requests did not exceed, in microseconds. */
    public double percentileMicros(double percentile) {
        return latencyNanos.getValueAtPercentile(percentile) / NANOS_PER_MICRO;
    }
}
