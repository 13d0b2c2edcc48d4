package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import io.farblock.metrics.Scrape;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What both ends count of a device that fio uses. */
@ExtendWith(SharedNode.class)
class MetricsKernelTest {
    private static final String NAME = "counted";
    private static final long SIZE_BYTES = 64L << 20;
    private static final String LOAD = "fio --name=load --direct=1 --ioengine=libaio --iodepth=8 --rw=randrw --bs=4k"
            + " --number_ios=6000 --output-format=json --filename=";
    /** The counts of requests and bytes, of reads and then of writes. */
    private static final String COUNTS = "jq -r '.jobs[0] | [.read.total_ios, .read.io_bytes, .write.total_ios,"
            + " .write.io_bytes] | map(tostring) | join(\" \")'";

    /** Others may read a little of a new disk meanwhile, as udev does: hence 2 %. */
    @Test
    void agreeWithFioAndTheStagesAddUpToTheWhole(Node node) throws Exception {
        try (Attached device = node.attachNew(NAME, SIZE_BYTES)) {
            String[] done = Shell.must(LOAD + device.path() + " | " + COUNTS).split(" ", -1);
            Scrape daemon = Scrape.of(SharedNode.METRICS);
            Scrape server = node.server().scrape();
            System.out.println("fio: " + String.join(" ", done));

            for (String operation : List.of("read", "write")) {
                int at = operation.equals("read") ? 0 : 2;
                String ofDevice = "{device=\"counted\",operation=\"" + operation + "\"}";
                String ofVolume = "{operation=\"" + operation + "\",volume=\"counted\"}";
                assertAgrees(daemon.value("farblock_device_requests_total" + ofDevice), done[at]);
                assertAgrees(daemon.value("farblock_device_bytes_total" + ofDevice), done[at + 1]);
                assertAgrees(server.value("farblock_volume_requests_total" + ofVolume), done[at]);
                assertAgrees(server.value("farblock_volume_bytes_total" + ofVolume), done[at + 1]);
                assertStagesAddUp(daemon, "farblock_daemon", operation, List.of("ring", "remote", "completion"));
                assertStagesAddUp(server, "farblock_server", operation, List.of("receive", "wait", "disk"));
            }
        }
    }

    private static void assertAgrees(double counted, String done) {
        double expected = Double.parseDouble(done);
        assertThat(expected).isGreaterThan(1000);
        assertThat(counted).isCloseTo(expected, withinPercentage(2));
    }

    private static void assertStagesAddUp(Scrape scrape, String end, String operation, List<String> stages) {
        long sumNanos = 0;
        for (String stage : stages) {
            String labels = "{operation=\"" + operation + "\",stage=\"" + stage + "\"}";
            sumNanos += scrape.nanos(end + "_stage_seconds_sum" + labels);
        }
        long wholeNanos = scrape.nanos(end + "_request_seconds_sum{operation=\"" + operation + "\"}");
        // Each sum is told with as many digits as a double has.
        assertThat(sumNanos).isPositive().isCloseTo(wholeNanos, within(100L));
    }
}
