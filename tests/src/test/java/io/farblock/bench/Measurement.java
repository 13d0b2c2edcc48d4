package io.farblock.bench;

/**
 * What came of one load on one side. Times in microseconds; processor time is that of all threads of a process, user and
 * system, for each request.
 *
 * @param othersShare which part of the machine's processors those took who have no part in this
 */
record Measurement(
        long requests,
        double seconds,
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
}
