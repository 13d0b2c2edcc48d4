package io.farblock.kernel;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.netty.channel.IoEventLoop;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiPredicate;
import java.util.stream.IntStream;

/**
 * A volume that is written to without a rest, and what may be read from it. It has two windows, one at the beginning and one
 * where a page of its map ends. All that has no remark is called on the loop.
 */
final class CutVolume {
    static final int BLOCK_BYTES = 4096;
    static final long SIZE_BYTES = 48 << 20;
    static final int WINDOW_BLOCKS = 256;
    static final int BLOCKS = 2 * WINDOW_BLOCKS;

    private static final long SECOND_WINDOW = (32 << 20) - WINDOW_BLOCKS / 2 * BLOCK_BYTES;
    private static final int MAX_BLOCKS = 16;
    private static final int VALUE_SHIFT = 16;

    final String name;
    private final BlockHistory[] histories = new BlockHistory[BLOCKS];
    private final SplittableRandom random;
    private final IoEventLoop loop;
    private final boolean[] busy = new boolean[BLOCKS];
    private final AtomicInteger acknowledged = new AtomicInteger();
    private final AtomicInteger flushes = new AtomicInteger();
    private volatile String wrong;
    private long lastValue;
    private int inFlight;
    private CutClient client;
    // Of the client that is there now: what an earlier one left does not count any more.
    private Writer[] writers = new Writer[0];
    private volatile boolean stopped;

    /** A volume that begins as {@code content}, or as zeros. From any thread. */
    CutVolume(String name, long seed, IoEventLoop loop) {
        this.name = name;
        this.loop = loop;
        random = new SplittableRandom(seed);
        for (int i = 0; i < BLOCKS; i++) {
            histories[i] = new BlockHistory();
        }
    }

    /** Where a block is in the volume. */
    static long offset(int block) {
        return block < WINDOW_BLOCKS
                ? (long) block * BLOCK_BYTES
                : SECOND_WINDOW + (long) (block - WINDOW_BLOCKS) * BLOCK_BYTES;
    }

    /** Begins to write, through a new client. From any thread but the loop. */
    void open(String address) throws Exception {
        client = new CutClient(address, name, false, loop);
    }

    /** Writes until {@link #stop}. From any thread but the loop. */
    void start() {
        stopped = false;
        onLoop(() -> {
            writers = new Writer[CutClient.HEADS];
            for (int head = 0; head < writers.length; head++) {
                writers[head] = new Writer(head);
                writers[head].next();
            }
        });
    }

    /** Begins nothing any more. From any thread. */
    void stop() {
        stopped = true;
    }

    /** Whether something is under way. From any thread but the loop. */
    boolean isAtRest() {
        boolean[] rest = new boolean[1];
        onLoop(() -> rest[0] = inFlight == 0);
        return rest[0];
    }

    /** How many requests were answered. From any thread. */
    int acknowledged() {
        return acknowledged.get();
    }

    /** How many flushes were. From any thread. */
    int flushes() {
        return flushes.get();
    }

    /** Throws if a request has failed. From any thread. */
    void mustBeWell() {
        if (wrong != null) {
            throw new AssertionError(name + ": " + wrong);
        }
    }

    /** The client ends as if its process did. From any thread but the loop. */
    void die() {
        onLoop(() -> writers = new Writer[0]);
        client.die();
        onLoop(() -> {
            Arrays.fill(busy, false);
            inFlight = 0;
        });
    }

    /** After a rest, what the volume holds has to be what was written last. From any thread but the loop. */
    void mustHoldAll() throws Exception {
        client.flush();
        adopt(client.read(), (history, value) -> history.newest() == value, "after it was sent again");
    }

    /**
     * After a crash of both ends it holds what was flushed, or later; returns how many blocks hold something older than
     * what was written last. From any thread but the loop.
     */
    int mustHoldWhatWasFlushed() throws Exception {
        return adopt(client.read(), BlockHistory::mayHold, "after a crash of both ends");
    }

    private int adopt(long[] found, BiPredicate<BlockHistory, Long> law, String when) {
        int older = 0;
        for (int i = 0; i < BLOCKS; i++) {
            if (!law.test(histories[i], found[i])) {
                throw new AssertionError(
                        name + " " + when + ", block " + i + " has " + found[i] + " of " + histories[i]);
            }
            older += histories[i].newest() == found[i] ? 0 : 1;
            histories[i].adopt(found[i]);
        }
        return older;
    }

    /** How many values each block has had that was acknowledged. From any thread but the loop. */
    int[] acknowledgedNow() {
        int[] now = new int[BLOCKS];
        onLoop(() -> IntStream.range(0, BLOCKS).forEach(i -> now[i] = histories[i].acknowledged()));
        return now;
    }

    /** How many values each block has had that was begun. From any thread but the loop. */
    int[] begunNow() {
        int[] now = new int[BLOCKS];
        onLoop(() -> IntStream.range(0, BLOCKS).forEach(i -> now[i] = histories[i].begun()));
        return now;
    }

    /** Throws if a snapshot has something else than what was written between two moments. From any thread but the loop. */
    void mustBeFrom(String snapshot, long[] found, int[] from, int[] to) {
        onLoop(() -> {
            for (int i = 0; i < BLOCKS; i++) {
                if (!histories[i].mayHold(found[i], from[i], to[i])) {
                    wrong = snapshot + ", block " + i + " has " + found[i] + " of " + histories[i];
                }
            }
        });
        mustBeWell();
    }

    /** Takes a content as its own: that of the snapshot which it is a clone of. */
    void beginAs(long[] content) {
        for (int i = 0; i < BLOCKS; i++) {
            histories[i].adopt(content[i]);
        }
    }

    private void onLoop(Runnable task) {
        loop.submit(task).syncUninterruptibly();
    }

    /** One request after the other, on one head. */
    private final class Writer {
        private final ByteBuffer memory = ByteBuffer.allocateDirect(MAX_BLOCKS * BLOCK_BYTES);
        private final BlockRequest request;
        private final CutClient of = client;
        private int first;
        private int count;
        private boolean forced;
        private int[] covered;

        Writer(int head) {
            request = new BlockRequest(head, (same, status) -> ended(status));
        }

        void next() {
            if (stopped) {
                return;
            }
            int die = random.nextInt(100);
            count = 0;
            covered = null;
            if (die < 4) {
                covered = IntStream.range(0, BLOCKS)
                        .map(i -> histories[i].acknowledged())
                        .toArray();
                request.prepare(BlockOperation.FLUSH);
            } else {
                prepareChange(die);
            }
            inFlight++;
            of.store.submit(request);
        }

        private void prepareChange(int die) {
            chooseRange();
            forced = die < 8;
            boolean zeros = die >= 92;
            for (int i = 0; i < count; i++) {
                long value = zeros ? 0 : ++lastValue << VALUE_SHIFT | (first + i);
                histories[first + i].begin(value);
                busy[first + i] = true;
                for (int at = 0; at < BLOCK_BYTES; at += Long.BYTES) {
                    memory.putLong(i * BLOCK_BYTES + at, value);
                }
            }
            request.prepare(zeros ? BlockOperation.WRITE_ZEROES : BlockOperation.WRITE)
                    .forceUnitAccess(forced)
                    .mayUnmap(zeros && random.nextBoolean())
                    .addRange(offset(first), (long) count * BLOCK_BYTES);
            if (!zeros) {
                request.payload().add(memory, 0, count * BLOCK_BYTES);
            }
        }

        // Free blocks, as many as there are from a random one on.
        private void chooseRange() {
            do {
                first = random.nextInt(BLOCKS);
            } while (busy[first]);
            int most = Math.min(1 + random.nextInt(MAX_BLOCKS), WINDOW_BLOCKS - first % WINDOW_BLOCKS);
            count = 1;
            while (count < most && !busy[first + count]) {
                count++;
            }
        }

        private void ended(BlockStatus status) {
            if (writers.length == 0 || of != client) {
                return;
            }
            inFlight--;
            if (status != BlockStatus.OK) {
                wrong = request.operation() + " ended with " + status;
                return;
            }
            for (int i = first; i < first + count; i++) {
                histories[i].done();
                busy[i] = false;
                if (forced) {
                    histories[i].flushed(histories[i].acknowledged());
                }
            }
            if (covered != null) {
                IntStream.range(0, BLOCKS).forEach(i -> histories[i].flushed(covered[i]));
                flushes.incrementAndGet();
            }
            acknowledged.incrementAndGet();
            loop.execute(this::next);
        }
    }
}
