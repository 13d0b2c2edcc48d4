package io.farblock.device;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What is said of requests that wait. */
class StallWatchTest {
    private static final int NEXT = 1;
    private static final int WRITE = 2;
    private static final int BYTES = 512;
    private static final int SECTOR = 8;

    private final BlkDriver blk = new BlkDriver(BlkDriver.info(BYTES, false, true), true);
    private final StallWatch watch = new StallWatch("mail queue 0", blk.queue, () -> "the moon has it");
    private final Logger logger = (Logger) LoggerFactory.getLogger(StallWatch.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void start() throws Exception {
        log.start();
        logger.addAppender(log);
        blk.start(BlkDriver.addresses(), false, 0);
    }

    @AfterEach
    void close() {
        logger.detachAppender(log);
        blk.close();
    }

    // Header, data, status.
    private void offerWrite(int number) {
        long at = BlkDriver.FREE + (long) number * 1024;
        blk.memory.putU8(at + BlkLayout.HEADER_TYPE, BlkLayout.TYPE_OUT);
        blk.memory.putU8(at + BlkLayout.HEADER_SECTOR, SECTOR);
        int head = (number + 1) * 3;
        blk.driver.descriptor(head, at, BlkLayout.HEADER_BYTES, NEXT, head + 1);
        blk.driver.descriptor(head + 1, at + 64, BYTES, NEXT, head + 2);
        blk.driver.descriptor(head + 2, at + 600, 1, WRITE, 0);
        blk.offer(head);
    }

    private void lookAfter(int seconds) {
        blk.nowNanos += TimeUnit.SECONDS.toNanos(seconds);
        watch.look(blk.nowNanos);
    }

    private List<String> lines() {
        return log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @Test
    void namesTheRequestThatWaitsLongestOnceAndSaysWhenItIsOver() {
        offerWrite(0);
        lookAfter(20);
        assertThat(watch.seconds()).isEqualTo(20);
        assertThat(watch.inWords()).isEmpty();

        offerWrite(1);
        lookAfter(15);
        lookAfter(5);
        assertThat(watch.seconds()).isEqualTo(40);
        assertThat(watch.inWords()).isEqualTo("a write of 512 bytes at 4096 (request 3) has waited for 40 s");
        assertThat(lines())
                .containsExactly(
                        "mail queue 0: a write of 512 bytes at 4096 (request 3) has waited for 35 s; the moon has it");

        blk.finishAll();
        lookAfter(5);
        assertThat(watch.seconds()).isZero();
        assertThat(watch.inWords()).isEmpty();
        assertThat(lines()).hasSize(2).last().isEqualTo("mail queue 0: no request waits for 30 s or more");
    }

    @Test
    void saysNothingOfAQueueThatIsBusyForLong() {
        for (int i = 0; i < 10; i++) {
            offerWrite(0);
            lookAfter(10);
            assertThat(watch.seconds()).isEqualTo(10);
            blk.finishAll();
            assertThat(blk.driver.collect()).isEqualTo(3);
        }
        assertThat(watch.inWords()).isEmpty();
        assertThat(lines()).isEmpty();
    }
}
