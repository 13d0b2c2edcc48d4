package io.farblock.device;

import io.farblock.block.BlockRequest;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/** A request that took long, for a flight recorder that is running; without one it costs nothing. */
@Name(SlowRequestEvent.NAME)
@Label("Slow Request")
@Category("Farblock")
@Description("A request that took 100 ms or more from the ring to the used ring, and where the time went")
@StackTrace(false)
final class SlowRequestEvent extends Event {
    static final String NAME = "io.farblock.SlowRequest";

    /** What no disk or network needs when it is well. */
    static final long LIMIT_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    @Label("Queue")
    String queue;

    @Label("Request")
    @Description("What the queue knew it by until it ended")
    int request;

    @Label("Operation")
    String operation;

    @Label("Status")
    String status;

    @Label("Length")
    @DataAmount
    long lengthBytes;

    @Label("Ring")
    @Timespan
    long ringNanos;

    @Label("Remote")
    @Timespan
    long remoteNanos;

    @Label("Completion")
    @Timespan
    long completionNanos;

    /** Records a request whose end the driver saw at a time. */
    static void record(String queue, BlkSlot slot, long lengthBytes, long endNanos) {
        SlowRequestEvent event = new SlowRequestEvent();
        if (event.isEnabled()) {
            BlockRequest request = slot.request;
            event.queue = queue;
            event.request = request.index();
            event.operation = request.operation().name().toLowerCase(Locale.ROOT);
            event.status = slot.ending.name().toLowerCase(Locale.ROOT);
            event.lengthBytes = lengthBytes;
            event.ringNanos = slot.submittedNanos - slot.takenNanos;
            event.remoteNanos = slot.answeredNanos - slot.submittedNanos;
            event.completionNanos = endNanos - slot.answeredNanos;
            event.commit();
        }
    }
}
