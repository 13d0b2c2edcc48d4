package io.farblock.vduse;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of one device as a state machine: every change goes through {@link #become}, and one that {@link
 * DeviceState} does not allow is a bug of ours. Any thread may read; the device's control loop and its attach or
 * detach, one at a time, change it.
 */
public final class DeviceLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceLifecycle.class);

    private final String name;
    private DeviceState state;

    /** A life that begins in {@code first}. */
    public DeviceLifecycle(String name, DeviceState first) {
        this.name = name;
        this.state = first;
    }

    /** Where the device is. */
    public synchronized DeviceState state() {
        return state;
    }

    /**
     * Goes to another state; staying is allowed.
     *
     * @throws IllegalStateException if the device cannot go there from where it is
     */
    public synchronized void become(DeviceState next) {
        if (next == state) {
            return;
        }
        if (!state.mayBecome(next)) {
            throw new IllegalStateException(name + " cannot go from " + state.text() + " to " + next.text());
        }
        LOG.info("{}: {} (was {})", name, next.text(), state.text());
        state = next;
    }

    /** Goes to {@code next} if the device is in {@code expected}; while it is being detached, for example, it stays. */
    public synchronized void becomeIf(DeviceState expected, DeviceState next) {
        if (state == expected) {
            become(next);
        }
    }
}
