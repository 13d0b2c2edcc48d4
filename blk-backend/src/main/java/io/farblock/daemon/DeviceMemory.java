package io.farblock.daemon;

import io.farblock.session.UnflushedWrites;
import io.netty.util.internal.PlatformDependent;

/**
 * How many devices a daemon has the memory for.
 *
 * <p>Each may have to keep {@link UnflushedWrites#LEAST_BYTES} of changes that its server has not flushed. Half of the
 * memory outside of the heap is for those; the rest is for what is in flight. A daemon that ran out of it could not go on
 * with any of its devices, so the one device more is refused.
 */
final class DeviceMemory {
    private DeviceMemory() {}

    /** Why there may be no device more, or null. */
    static String refusal(int devices) {
        return refusal(devices, PlatformDependent.maxDirectMemory());
    }

    static String refusal(int devices, long totalBytes) {
        long most = totalBytes / 2 / UnflushedWrites.LEAST_BYTES;
        return devices < most
                ? null
                : "this daemon has memory for " + most + " devices and serves " + devices
                        + ": give it more, such as FARBLOCK_JAVA_OPTS=-XX:MaxDirectMemorySize="
                        + 2 * (totalBytes >> 20) + "m";
    }
}
