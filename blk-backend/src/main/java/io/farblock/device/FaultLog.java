package io.farblock.device;

import io.farblock.virtio.ChainFault;
import java.util.EnumSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a driver did wrong: all of it counted, and one line in the log for each kind. On the queue's loop. */
final class FaultLog {
    private static final Logger LOG = LoggerFactory.getLogger(FaultLog.class);

    private final String name;
    private final QueueCounters counters;
    private final EnumSet<ChainFault> chainFaults = EnumSet.noneOf(ChainFault.class);
    private final EnumSet<RequestFault> requestFaults = EnumSet.noneOf(RequestFault.class);

    /** @param name the queue's, in the log */
    FaultLog(String name, QueueCounters counters) {
        this.name = name;
        this.counters = counters;
    }

    void report(ChainFault fault) {
        report(chainFaults.add(fault), fault.text());
    }

    void report(RequestFault fault) {
        report(requestFaults.add(fault), fault.text());
    }

    private void report(boolean isFirst, String text) {
        counters.refused();
        if (isFirst) {
            LOG.warn("{}: the driver sent {}; it is answered with an error, and not logged again", name, text);
        }
    }
}
