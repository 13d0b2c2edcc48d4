package io.farblock.architecture.sample.vduse;

import io.farblock.architecture.sample.virtio.SystemCallInARing;

/** A device that knows a ring. */
public final class RingInADevice {
    private RingInADevice() {}

    /** Breaks the rule. */
    public static int broken() {
        return SystemCallInARing.broken();
    }
}
