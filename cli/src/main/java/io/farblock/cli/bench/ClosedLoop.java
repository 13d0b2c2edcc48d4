package io.farblock.cli.bench;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.HdrHistogram.Histogram;

/**
 * Keeps a number of requests in flight on a store for a time: each that completes is followed by the next. A load of
 * writes ends with a flush, whose time counts, so that a server cannot look fast by putting things off.
 */
final class ClosedLoop {
    private static final long HIGHEST_NANOS = 3_600_000_000_000L;
    private static final int DIGITS = 3;

    private final BlockStore store;
    private final Executor loop;
    private final Shape shape;
    private final SplittableRandom random;
    private final long places;
    private final BlockRequest[] requests;
    private final ByteBuffer[] payloads;
    private final long[] submittedNanos;
    private final Histogram latency = new Histogram(HIGHEST_NANOS, DIGITS);
    private final CompletableFuture<Result> result = new CompletableFuture<>();
    private long beginNanos;
    private long durationNanos;
    private long next;
    private int inFlight;

    /**
     * Of one shape.
     *
     * @param seed decides where the random ones go and what is written
     * @param begin where sequential ones begin, as a part of the volume
     */
    ClosedLoop(BlockStore store, Executor loop, Shape shape, long seed, double begin) {
        this.store = store;
        this.loop = loop;
        this.shape = shape;
        random = new SplittableRandom(seed);
        places = store.info().sizeBytes() / shape.lengthBytes();
        if (places == 0) {
            throw new IllegalArgumentException("a volume smaller than a request of " + shape.lengthBytes() + " bytes");
        }
        next = (long) (places * begin);
        requests = new BlockRequest[shape.depth()];
        payloads = new ByteBuffer[shape.depth()];
        submittedNanos = new long[shape.depth()];
        byte[] noise = new byte[shape.lengthBytes()];
        for (int i = 0; i < shape.depth(); i++) {
            requests[i] = new BlockRequest(i, this::completed);
            // Nothing that a server could compress or leave out.
            random.nextBytes(noise);
            payloads[i] = ByteBuffer.allocateDirect(shape.lengthBytes()).put(0, noise);
        }
    }

    /**
     * Begins; to be called once, from any thread.
     *
     * @return completes on the loop, with an IOException if any request has failed
     */
    CompletableFuture<Result> start(long nanos) {
        durationNanos = nanos;
        loop.execute(this::begin);
        return result;
    }

    private void begin() {
        beginNanos = System.nanoTime();
        for (BlockRequest request : requests) {
            submit(request);
        }
    }

    private void submit(BlockRequest request) {
        long place = shape.sequential() ? next++ % places : random.nextLong(places);
        request.prepare(shape.write() ? BlockOperation.WRITE : BlockOperation.READ)
                .addRange(place * shape.lengthBytes(), shape.lengthBytes());
        request.payload().add(payloads[request.index()], 0, shape.lengthBytes());
        request.payload().stable(true);
        inFlight++;
        submittedNanos[request.index()] = System.nanoTime();
        store.submit(request);
    }

    private void completed(BlockRequest request, BlockStatus status) {
        long now = System.nanoTime();
        inFlight--;
        if (status != BlockStatus.OK) {
            result.completeExceptionally(new IOException("a " + shape + " ended with " + status));
        } else {
            latency.recordValue(now - submittedNanos[request.index()]);
        }
        if (now - beginNanos < durationNanos && !result.isDone()) {
            submit(request);
        } else if (inFlight == 0 && shape.write()) {
            flush();
        } else if (inFlight == 0) {
            end(0);
        }
    }

    private void flush() {
        long submitted = System.nanoTime();
        BlockRequest flush = new BlockRequest(0, (request, status) -> {
            if (status != BlockStatus.OK) {
                result.completeExceptionally(new IOException("a flush ended with " + status));
            }
            end(System.nanoTime() - submitted);
        });
        flush.prepare(BlockOperation.FLUSH);
        store.submit(flush);
    }

    private void end(long flushNanos) {
        result.complete(new Result(shape, (System.nanoTime() - beginNanos) / 1e9, flushNanos / 1e9, latency));
    }
}
