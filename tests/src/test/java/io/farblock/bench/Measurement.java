package io.farblock.bench;

/**
 * What came of one load on one side. Times in microseconds; processor time is that of all threads of a process, user and
 * system, for each request.
 *
 * <p>NaN stands for what nobody has measured.
 *
 * @param seconds without the flush
 * @param flushSeconds how long the flush behind a load of writes took, 0 behind others
 * @param othersShare which part of the machine's processors those took who have no part in this
 */
record Measurement(
        long requests,
        double seconds,
        double flushSeconds,
        double p50,
        double p99,
        double p999,
        double deviceCpu,
        double serverCpu,
        double othersShare,
        double kicksPerRequest,
        double interruptsPerRequest) {
    /** What is compared, and whether more of it is better. */
    enum Metric {
        IOPS("IOPS", true),
        FLUSHED_IOPS("IOPS with flush", true),
        P50("p50 us", false),
        P99("p99 us", false),
        P999("p99.9 us", false),
        DEVICE_CPU("device us/req", false),
        SERVER_CPU("server us/req", false);

        private final String title;
        private final boolean moreIsBetter;

        Metric(String title, boolean moreIsBetter) {
            this.title = title;
            this.moreIsBetter = moreIsBetter;
        }

        String title() {
            return title;
        }

        boolean moreIsBetter() {
            return moreIsBetter;
        }

        double of(Measurement measurement) {
            return switch (this) {
                case IOPS -> measurement.iops();
                case FLUSHED_IOPS -> measurement.flushedIops();
                case P50 -> measurement.p50;
                case P99 -> measurement.p99;
                case P999 -> measurement.p999;
                case DEVICE_CPU -> measurement.deviceCpu;
                case SERVER_CPU -> measurement.serverCpu;
            };
        }
    }

    double iops() {
        return requests / seconds;
    }

    /** What is left if the time that the flush took is counted too; NaN if there was nothing to flush. */
    double flushedIops() {
        return flushSeconds > 0 ? requests / (seconds + flushSeconds) : Double.NaN;
    }
}
