package io.farblock.daemon;

import io.farblock.meter.StageTimes;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;

/** The event loops that serve the queues of all devices, and how long the requests on each of them took. */
final class QueueLoops extends MultiThreadIoEventLoopGroup {
    /** One of them; only its own thread writes to the times. */
    private static final class Loop extends SingleThreadIoEventLoop {
        private final StageTimes times = new StageTimes();

        Loop(QueueLoops group, Executor executor, IoHandlerFactory handlers) {
            super(group, executor, handlers);
        }
    }

    QueueLoops(int count, int pollMicros) {
        super(count, new DefaultThreadFactory("farblock-queue"), PollBeforeSleep.loops(pollMicros));
    }

    @Override
    protected IoEventLoop newChild(Executor executor, IoHandlerFactory handlers, Object... unused) {
        return new Loop(this, executor, handlers);
    }

    /** Where requests on a loop are counted; on one that is none of these, for themselves. */
    static StageTimes timesOf(IoEventLoop loop) {
        return loop instanceof Loop ours ? ours.times : new StageTimes();
    }

    /** Those of every loop; from any thread. */
    List<StageTimes> times() {
        List<StageTimes> all = new ArrayList<>();
        for (EventExecutor loop : this) {
            all.add(((Loop) loop).times);
        }
        return all;
    }
}
