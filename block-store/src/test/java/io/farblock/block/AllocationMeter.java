package io.farblock.block;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** How much the current thread allocates. */
public final class AllocationMeter {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private AllocationMeter() {}

    /** Bytes that the current thread has allocated in its life. */
    @SuppressWarnings("deprecation") // Thread.getId, whose successor came after Java 17.
    public static long bytes() {
        return THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    }
}
