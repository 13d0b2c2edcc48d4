package io.farblock.bench;

import io.farblock.linux.LibC;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import org.HdrHistogram.Histogram;

/**
 * One load on one disk: a closed loop in one thread, which sleeps until an interrupt when nothing has come back, as a
 * guest does. Latency is from the offer of a request until it is found in the used ring. A load of writes ends with a
 * flush, after its time.
 */
final class LoadRun {
    private static final long HIGHEST_NANOS = 60_000_000_000L;
    private static final int DIGITS = 3;
    private static final int POLL_ENTRY_BYTES = 8;
    private static final int WAIT_MILLIS = 30_000;

    private final Load load;
    private final List<DriverQueue> queues;
    private final long blocks;
    private final SplittableRandom random;
    private final Histogram latency = new Histogram(HIGHEST_NANOS, DIGITS);
    private final long[][] offsets;
    private final long[][] starts;
    private final NativeMemory pollEntries;
    private long next;
    private long interrupts;
    private int inFlight;

    LoadRun(VhostUserDisk disk, Load load, long volumeBytes, long seed) {
        this.load = load;
        queues = disk.queues().subList(0, load.queues());
        blocks = volumeBytes / load.lengthBytes();
        random = new SplittableRandom(seed);
        offsets = new long[load.queues()][load.depth()];
        starts = new long[load.queues()][load.depth()];
        pollEntries = new NativeMemory((long) load.queues() * POLL_ENTRY_BYTES);
        for (int i = 0; i < load.queues(); i++) {
            int at = i * POLL_ENTRY_BYTES;
            pollEntries.buffer().putInt(at, queues.get(i).callFd().descriptor().number());
            pollEntries.buffer().putShort(at + Integer.BYTES, (short) LibC.POLLIN);
        }
    }

    /** Runs for a time, then waits for what is in flight. */
    Measurement forNanos(long nanos, CpuMeter meter) throws IOException {
        return run(nanos, Long.MAX_VALUE, meter);
    }

    /** Runs until so many requests are done. */
    Measurement forRequests(long requests, CpuMeter meter) throws IOException {
        return run(Long.MAX_VALUE, requests, meter);
    }

    /** Runs until as many requests as the volume has blocks of this length are done. */
    Measurement once(CpuMeter meter) throws IOException {
        return run(Long.MAX_VALUE, blocks, meter);
    }

    private Measurement run(long nanos, long requests, CpuMeter meter) throws IOException {
        for (DriverQueue queue : queues) {
            queue.prepare(load.write(), load.lengthBytes(), load.depth());
            queue.callFd().drain();
        }
        long kicks = kicks();
        CpuTime before = meter.cpuTime();
        long begin = System.nanoTime();
        long done = loop(begin, nanos, requests);
        double seconds = (System.nanoTime() - begin) / 1e9;
        CpuTime cpu = meter.cpuTime().since(before);
        double flushSeconds = load.write() ? flushSeconds() : 0;
        return new Measurement(
                done,
                seconds,
                flushSeconds,
                latency.getValueAtPercentile(50) / 1e3,
                latency.getValueAtPercentile(99) / 1e3,
                latency.getValueAtPercentile(99.9) / 1e3,
                cpu.deviceNanos() / 1e3 / done,
                cpu.serverNanos() / 1e3 / done,
                cpu.othersNanos() / 1e9 / seconds / Runtime.getRuntime().availableProcessors(),
                (double) (kicks() - kicks) / done,
                (double) interrupts / done);
    }

    private long loop(long begin, long nanos, long requests) throws IOException {
        for (int slot = 0; slot < load.depth(); slot++) {
            for (int i = 0; i < queues.size(); i++) {
                offer(i, slot, begin);
            }
        }
        publish();
        long done = 0;
        while (inFlight > 0) {
            long now = System.nanoTime();
            long found = collect(now, now - begin < nanos && done + inFlight < requests);
            publish();
            done += found;
            if (found == 0) {
                sleep();
            }
        }
        return done;
    }

    private void offer(int queue, int slot, long now) {
        long offset = (load.sequential() ? next++ % blocks : random.nextLong(blocks)) * load.lengthBytes();
        offsets[queue][slot] = offset;
        starts[queue][slot] = now;
        queues.get(queue).offer(slot, offset);
        inFlight++;
    }

    private long collect(long now, boolean goOn) {
        long found = 0;
        for (int i = 0; i < queues.size(); i++) {
            DriverQueue queue = queues.get(i);
            for (int slot = queue.collect(); slot != DriverQueue.NONE; slot = queue.collect()) {
                queue.check(slot, offsets[i][slot]);
                latency.recordValue(now - starts[i][slot]);
                inFlight--;
                found++;
                if (goOn) {
                    offer(i, slot, now);
                }
            }
        }
        return found;
    }

    private void publish() {
        for (int i = 0; i < queues.size(); i++) {
            queues.get(i).publish();
        }
    }

    private void sleep() throws IOException {
        boolean nothing = true;
        for (int i = 0; i < queues.size(); i++) {
            nothing &= queues.get(i).wantInterrupt();
        }
        if (!nothing) {
            return;
        }
        if (LibC.poll(pollEntries.address(), queues.size(), WAIT_MILLIS) == 0) {
            throw new IOException(inFlight + " requests were not answered within " + WAIT_MILLIS + " ms");
        }
        for (int i = 0; i < queues.size(); i++) {
            interrupts += queues.get(i).callFd().drain();
        }
    }

    private long kicks() {
        return queues.stream().mapToLong(DriverQueue::kicks).sum();
    }

    // What writes leave behind is flushed outside of their time, so that it slows nobody else.
    private double flushSeconds() throws IOException {
        DriverQueue queue = queues.get(0);
        queue.callFd().drain();
        queue.offerFlush(0);
        long begin = System.nanoTime();
        queue.publish();
        while (queue.collect() == DriverQueue.NONE) {
            sleep();
        }
        return (System.nanoTime() - begin) / 1e9;
    }
}
