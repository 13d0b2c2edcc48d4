package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.Answered;
import io.farblock.api.node.Device;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is said of the work of devices. */
class DeviceRatesTest {
    private static final long MICRO = 1_000;
    private static final long MILLI = 1_000_000;

    private static Device device(String name, Answered reads, Answered writes) {
        return Device.newBuilder()
                .setName(name)
                .setPath("/dev/" + name)
                .setReads(reads)
                .setWrites(writes)
                .build();
    }

    private static Answered answered(long requests, long bytes, long nanos) {
        return Answered.newBuilder()
                .setRequests(requests)
                .setBytes(bytes)
                .setNanos(nanos)
                .build();
    }

    private static List<String> rows(List<Device> before, List<Device> now, double seconds) {
        return new DeviceRates(before, now, seconds).text().lines().skip(1).toList();
    }

    @Test
    void ratesAreWhatCameSinceTheLastLook() {
        Answered none = Answered.getDefaultInstance();
        Device before = device("mail", answered(1_000, 1 << 20, 100 * MILLI), none);
        Device now = device("mail", answered(3_000, 9 << 20, 200 * MILLI), answered(3, 4096, 36 * MILLI));

        List<String> rows = rows(List.of(before), List.of(now), 2);

        assertThat(rows).hasSize(1);
        assertThat(rows.get(0).split("  +"))
                .startsWith("mail", "/dev/mail", "1000", "4M", "50 us", "1.5", "2K", "12 ms", "0", "-", "0", "0");
    }

    @Test
    void theBusiestComesFirst() {
        Answered none = Answered.getDefaultInstance();
        List<Device> now = List.of(
                device("idle", none, none), device("busy", answered(10, 0, 10), none), device("also", none, none));

        assertThat(rows(List.of(), now, 1))
                .extracting(row -> row.substring(0, row.indexOf(' ')))
                .containsExactly("busy", "also", "idle");
    }

    @Test
    void anotherDaemonCountsFromTheBeginning() {
        Answered none = Answered.getDefaultInstance();
        Device before = device("mail", answered(1_000, 1 << 20, 100 * MILLI), none);
        Device now = device("mail", answered(40, 40 << 10, 40 * 200 * MICRO), none);

        assertThat(rows(List.of(before), List.of(now), 4).get(0).split("  +"))
                .startsWith("mail", "/dev/mail", "10", "10K", "200 us");
    }

    @Test
    void saysThatThereIsNothing() {
        assertThat(new DeviceRates(List.of(), List.of(), 1).text()).isEqualTo("no device is attached\n");
    }
}
