package io.farblock.kernel;

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Reads a block of a device every few milliseconds, and knows the longest time in which none was read. */
final class Reader implements AutoCloseable {
    private static final int BLOCK_BYTES = 4096;
    private static final int PAUSE_MILLIS = 20;

    private final FileChannel device;
    private final Thread thread = new Thread(this::readAll, "reader");
    private long lastNanos = System.nanoTime();
    private long longestNanos;
    private IOException failure;
    private volatile boolean closed;

    Reader(String path) throws IOException {
        device = FileChannel.open(Path.of(path), StandardOpenOption.READ, ExtendedOpenOption.DIRECT);
        thread.start();
    }

    private void readAll() {
        ByteBuffer block = ByteBuffer.allocateDirect(2 * BLOCK_BYTES).alignedSlice(BLOCK_BYTES);
        while (!closed) {
            try {
                device.read(block.clear().limit(BLOCK_BYTES), 0);
                done(null);
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            } catch (IOException e) {
                done(e);
                return;
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private synchronized void done(IOException error) {
        failure = error;
        longestNanos = Math.max(longestNanos, System.nanoTime() - lastNanos);
        lastNanos = System.nanoTime();
    }

    /** The longest pause since the last call, in milliseconds; if one lasts still, it counts. */
    synchronized long longestPauseMillis() throws IOException {
        if (failure != null) {
            throw failure;
        }
        long nanos = Math.max(longestNanos, System.nanoTime() - lastNanos);
        longestNanos = 0;
        return TimeUnit.NANOSECONDS.toMillis(nanos);
    }

    @Override
    public void close() throws IOException {
        closed = true;
        while (thread.isAlive()) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(PAUSE_MILLIS));
        }
        device.close();
    }
}
