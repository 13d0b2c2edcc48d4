package io.farblock.architecture.sample.virtio;

import io.farblock.architecture.sample.linux.Call;

/** A ring that makes a system call. */
public final class SystemCallInARing {
    private SystemCallInARing() {}

    /** Breaks the rule. */
    public static int broken() {
        return Call.number();
    }
}
