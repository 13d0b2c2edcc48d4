package io.farblock.daemon;

import io.farblock.virtio.DriverRegion;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;

/** The process that {@link LostMemoryTest} watches: two queues on one loop, and the memory of one goes away. */
final class LostMemory {
    private static final int PAYLOAD_BYTES = 4096;
    private static final int DISK_BYTES = 1 << 20;
    private static final int STATUS_IOERR = 1;
    private static final int REQUESTS_AFTER = 2000;

    private final NativeQueue victim;
    private final NativeQueue other;
    private final boolean write;

    private LostMemory(IoEventLoop loop, boolean write) throws IOException {
        this.write = write;
        victim = new NativeQueue("victim", loop, new LoopStore(loop::execute, DISK_BYTES));
        other = new NativeQueue("other", loop, new LoopStore(loop::execute, DISK_BYTES));
        victim.start();
        other.start();
    }

    /** Arguments: which region, whether requests are writes, how many requests make it warm. */
    public static void main(String[] arguments) throws IOException {
        MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        LostMemory lost = new LostMemory(group.next(), Boolean.parseBoolean(arguments[1]));
        lost.run(lost.region(arguments[0]), Integer.parseInt(arguments[2]));
        System.exit(0);
    }

    private DriverRegion region(String name) {
        return switch (name) {
            case "rings" -> victim.rings;
            case "tables" -> victim.tables;
            case "headers" -> victim.headers;
            case "payloads" -> victim.payloads;
            case "statuses" -> victim.statuses;
            default -> throw new IllegalArgumentException(name);
        };
    }

    private void run(DriverRegion region, int warmUp) throws IOException {
        for (int i = 0; i < warmUp; i++) {
            good(victim);
            good(other);
        }
        long length = (region.lengthBytes() + 4095) / 4096 * 4096;
        victim.prepare(0, write, 0, PAYLOAD_BYTES);
        victim.offer(0);
        victim.publish();
        region.truncate(0);
        victim.kickAnyway();
        for (int i = 0; i < REQUESTS_AFTER; i++) {
            good(other);
        }
        boolean mayFail = region == victim.payloads;
        NativeQueue.awaitTrue(
                () -> !victim.runner.stopReason().isEmpty() || (mayFail && victim.status(0) == STATUS_IOERR));
        System.out.println("victim stopped: " + victim.runner.stopReason());
        require(other.runner.stopReason().isEmpty(), "the other queue stopped: " + other.runner.stopReason());
        region.truncate(length);
        victim.reset();
        victim.start();
        good(victim);
        good(other);
    }

    private void good(NativeQueue queue) {
        queue.prepare(0, write, 0, PAYLOAD_BYTES);
        queue.offer(0);
        queue.kick();
        int slot = queue.await();
        require(slot == 0 && queue.status(0) == 0, "a good request ended with status " + queue.status(0));
    }

    private static void require(boolean condition, String text) {
        if (!condition) {
            System.out.println(text);
            System.exit(1);
        }
    }
}
