package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Who gets a place at a port, on a clock of the test's own. */
class AdmissionTest {
    // Of 64: 32 of an address, 32 handshakes in all, 4 of an address.
    private final Admission admission = new Admission(64);
    private long nowNanos;

    @Test
    void givesAnAddressSoManyHandshakesAtOnce() throws Exception {
        InetAddress one = InetAddress.getByName("10.0.0.1");
        for (int i = 0; i < 4; i++) {
            assertThat(admission.begin(one, nowNanos)).isTrue();
        }
        assertThat(admission.begin(one, nowNanos)).isFalse();
        assertThat(admission.begin(InetAddress.getByName("10.0.0.2"), nowNanos)).isTrue();

        admission.shaken(one);
        assertThat(admission.begin(one, nowNanos)).isTrue();
        admission.end(one, false, nowNanos);
        assertThat(admission.begin(one, nowNanos)).isTrue();
    }

    @Test
    void givesSoManyHandshakesInAll() throws Exception {
        for (int i = 0; i < 32; i++) {
            assertThat(admission.begin(InetAddress.getByName("10.0.0." + i), nowNanos))
                    .isTrue();
        }
        assertThat(admission.begin(InetAddress.getByName("10.0.1.1"), nowNanos)).isFalse();
    }

    @Test
    void givesAnAddressSoManyConnections() throws Exception {
        InetAddress one = InetAddress.getByName("10.0.0.1");
        for (int i = 0; i < 32; i++) {
            assertThat(admission.begin(one, nowNanos)).isTrue();
            admission.shaken(one);
        }
        assertThat(admission.begin(one, nowNanos)).isFalse();
        admission.end(one, true, nowNanos);
        assertThat(admission.begin(one, nowNanos)).isTrue();
    }

    @Test
    void givesAnAddressSoManyHandshakesASecond() throws Exception {
        InetAddress one = InetAddress.getByName("10.0.0.1");
        int begun = 0;
        while (admission.begin(one, nowNanos)) {
            admission.end(one, false, nowNanos);
            begun++;
        }
        // Four seconds' worth, and the one that goes beyond them.
        assertThat(begun).isEqualTo(4 * 256 + 1);
        nowNanos += TimeUnit.SECONDS.toNanos(1);
        assertThat(admission.begin(one, nowNanos)).isTrue();
    }

    @Test
    void keepsHandshakesForThoseWhoHaveNone() throws Exception {
        for (int i = 0; i < 8; i++) {
            flood(InetAddress.getByName("10.0.0." + i), 4);
        }
        assertThat(admission.begin(InetAddress.getByName("10.0.1.1"), nowNanos)).isTrue();
    }

    @Test
    void keepsTimeForThoseWhoAskSeldom() throws Exception {
        // All that eight addresses could have alone, second after second.
        Admission large = new Admission(4096);
        int begun = 0;
        for (int second = 0; second < 20; second++) {
            for (int i = 0; i < 8 * 256; i++) {
                InetAddress from = InetAddress.getByName("10.0.0." + i % 8);
                if (large.begin(from, nowNanos)) {
                    large.end(from, false, nowNanos);
                    begun += second >= 10 ? 1 : 0;
                }
                nowNanos += TimeUnit.SECONDS.toNanos(1) / (8 * 256);
            }
            InetAddress seldom = InetAddress.getByName("10.0.1.1");
            assertThat(large.begin(seldom, nowNanos)).isTrue();
            large.end(seldom, false, nowNanos);
        }
        assertThat(begun).isLessThanOrEqualTo(11 * 1024);
    }

    private void flood(InetAddress from, int times) {
        for (int i = 0; i < times; i++) {
            boolean unused = admission.begin(from, nowNanos);
        }
    }

    @Test
    void takesANetworkOfIpv6ForOneAddress() throws Exception {
        for (int i = 0; i < 4; i++) {
            assertThat(admission.begin(InetAddress.getByName("2001:db8::" + i), nowNanos))
                    .isTrue();
        }
        assertThat(admission.begin(InetAddress.getByName("2001:db8::ffff"), nowNanos))
                .isFalse();
        assertThat(admission.begin(InetAddress.getByName("2001:db8:0:1::1"), nowNanos))
                .isTrue();
    }

    @Test
    void forgetsAddresses() throws Exception {
        for (int i = 0; i < 10_000; i++) {
            InetAddress one = InetAddress.getByAddress(new byte[] {10, 0, (byte) (i >> 8), (byte) i});
            assertThat(admission.begin(one, nowNanos)).isTrue();
            nowNanos += TimeUnit.MILLISECONDS.toNanos(10);
            admission.end(one, false, nowNanos);
        }
        assertThat(admission.addresses()).isLessThan(5_000);
    }
}
