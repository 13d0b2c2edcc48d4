package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.linux.EventFd;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SelectStrategy;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Counts how often a loop looks and sleeps, on a clock of its own. */
class PollBeforeSleepTest {
    private static final long MAX_NANOS = 50_000;
    private static final long LOOK_NANOS = 300;
    private static final long WAKE_NANOS = 30_000;
    private static final long SOON_NANOS = 10_000;
    private static final long LATE_NANOS = 1_000_000;
    private static final long IDLE_NANOS = 500_000_000;

    private long now;
    private int looks;
    private int sleeps;
    private final PollBeforeSleep strategy = new PollBeforeSleep(MAX_NANOS, () -> now);

    @Test
    void sleepsNoMoreWhenEventsComeSoon() throws Exception {
        await(30, SOON_NANOS);
        sleeps = 0;
        await(1000, SOON_NANOS);
        assertThat(sleeps).isZero();
        assertThat(looks).isPositive();
    }

    @Test
    void neverLooksWhenEventsComeLate() throws Exception {
        await(1000, LATE_NANOS);
        assertThat(looks).isZero();
        assertThat(sleeps).isEqualTo(1000);
    }

    @Test
    void looksForTheLastTimeSoonAfterTheLastEvent() throws Exception {
        await(1000, SOON_NANOS);
        looks = 0;
        await(10, IDLE_NANOS);
        assertThat(looks * LOOK_NANOS).isLessThan(10 * MAX_NANOS);
        looks = 0;
        await(1000, IDLE_NANOS);
        assertThat(looks).isZero();
    }

    @Test
    void looksNoLongerThanTheBoundForAnEventThatComesLate() throws Exception {
        await(1000, SOON_NANOS);
        looks = 0;
        await(1, LATE_NANOS);
        assertThat(looks * LOOK_NANOS).isBetween(MAX_NANOS - LOOK_NANOS, MAX_NANOS + LOOK_NANOS);
    }

    @Test
    void looksAgainOnceEventsComeSoonAgain() throws Exception {
        await(100, IDLE_NANOS);
        await(30, SOON_NANOS);
        sleeps = 0;
        await(100, SOON_NANOS);
        assertThat(sleeps).isZero();
    }

    @Test
    void looksOnceAndDoesNotWaitWhenTasksAreThere() throws Exception {
        await(1000, SOON_NANOS);
        looks = 0;
        assertThat(strategy.calculateStrategy(() -> look(Long.MAX_VALUE), true)).isZero();
        assertThat(looks).isEqualTo(1);
    }

    @Test
    void hearsEveryEventOnARealLoop() throws Exception {
        MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, PollBeforeSleep.loops(50));
        IoEventLoop loop = group.next();
        Semaphore heard = new Semaphore(0);
        try (EventFd event = new EventFd()) {
            FdHandle handle = loop.submit(() -> FdHandle.watch(loop, event.descriptor(), heard::release))
                    .get();
            for (int i = 0; i < 1000; i++) {
                event.signal();
                assertThat(heard.tryAcquire(20, TimeUnit.SECONDS))
                        .as("event %s", i)
                        .isTrue();
                assertThat(loop.submit(() -> "a task of another thread").get()).isNotNull();
            }
            loop.submit(handle::cancel).get();
        } finally {
            group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    private void await(int events, long afterNanos) throws Exception {
        for (int i = 0; i < events; i++) {
            await(now + afterNanos);
        }
    }

    // Asks as Netty's loop does, which goes on asking after CONTINUE.
    private void await(long eventNanos) throws Exception {
        int answer;
        do {
            answer = strategy.calculateStrategy(() -> look(eventNanos), false);
        } while (answer == SelectStrategy.CONTINUE);
        if (answer == SelectStrategy.SELECT) {
            sleeps++;
            now = Math.max(now, eventNanos) + WAKE_NANOS;
        }
    }

    private int look(long eventNanos) {
        looks++;
        now += LOOK_NANOS;
        return now >= eventNanos ? 1 : 0;
    }
}
