package io.farblock.simulation;

/**
 * Knows for every block what may be read there, from what the guests were told.
 *
 * <p>Two changes in flight never overlap, which the guests see to. A read finds the last value acknowledged, or one in
 * flight beside it. A crash of the server's host may take what was not flushed only if the daemon that had acknowledged it
 * has died as well, or has lost the volume to another one; a flush that was submitted after the acknowledgement, and has
 * succeeded, holds for ever.
 */
final class Oracle {
    /** Something happened that must not. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        Violation(String message) {
            super(message);
        }
    }

    static final int BLOCKS = 256;
    static final int BLOCK_BYTES = 512;
    static final int WORDS = BLOCK_BYTES / Long.BYTES;
    /** A flush's error may be on the way for so long, and end changes too that waited for its success. */
    private static final long LATEST_ERROR_NANOS = 12_000_000_000L;

    private static final int MAX_LIVES = 64;

    private final Schedule schedule;
    private final BlockHistory[] blocks = new BlockHistory[BLOCKS];
    private final boolean[] keeps = new boolean[MAX_LIVES];
    /** Keepers that have not given a server again what it has lost. */
    private final boolean[] owes = new boolean[MAX_LIVES];

    private int lives;
    private long errorsAllowedUntilNanos = Long.MIN_VALUE;
    private boolean diskHasFailed;
    private int cacheLosses;

    Oracle(Schedule schedule) {
        this.schedule = schedule;
        for (int i = 0; i < BLOCKS; i++) {
            blocks[i] = new BlockHistory(first(i));
        }
    }

    /** What a block has at first: nothing is zero that was not zeroed. */
    static long first(int block) {
        return 1L << 48 | (long) block << 6;
    }

    /** A value in words: who wrote it, the how-manieth write it was, and where. */
    static String name(long value) {
        return value == BlockHistory.NONE
                ? "-"
                : value == 0
                        ? "0"
                        : (value >>> 56) + "." + (value >>> 16 & 0xFF_FFFF_FFFFL) + "@" + (value >>> 6 & 0x3FF);
    }

    /** A daemon begins to keep what it acknowledges; returns its number. */
    int lifeBegins() {
        keeps[++lives] = true;
        return lives;
    }

    /** What it has kept is gone; also what the server had lost before, and has not got again. */
    void lifeEnds(int life) {
        keeps[life] = false;
        if (owes[life]) {
            owes[life] = false;
            for (BlockHistory block : blocks) {
                block.lostWith(life);
            }
        }
    }

    /** A server has everything again that a daemon had kept, if its cache was not lost since. */
    void restored(int life, int cacheLossesThen) {
        if (cacheLossesThen == cacheLosses) {
            owes[life] = false;
        }
    }

    int cacheLosses() {
        return cacheLosses;
    }

    boolean isBusy(int first, int count) {
        for (int i = first; i < first + count; i++) {
            if (blocks[i].isBeingWritten()) {
                return true;
            }
        }
        return false;
    }

    void submitted(Op op) {
        op.cacheLosses = cacheLosses;
        if (op.kind == Op.Kind.READ) {
            snapshot(op, op.first[0], op.count[0]);
        } else if (op.kind == Op.Kind.FLUSH) {
            snapshot(op, 0, BLOCKS);
        } else {
            setPending(op, true);
        }
    }

    private void snapshot(Op op, int first, int count) {
        op.snapshotSize(count);
        for (int i = 0; i < count; i++) {
            BlockHistory block = blocks[first + i];
            op.bases[i] = block.base;
            op.floors[i] = block.floor;
            op.losses[i] = block.losses;
            op.sizes[i] = block.size();
        }
    }

    private void setPending(Op op, boolean on) {
        for (int range = 0; range < op.rangeCount; range++) {
            for (int i = op.first[range]; i < op.first[range] + op.count[range]; i++) {
                blocks[i].pending[op.node] = on ? op.valueOf(i) : BlockHistory.NONE;
            }
        }
    }

    /** A change or a flush has succeeded. */
    void succeeded(Op op) {
        if (op.kind == Op.Kind.FLUSH) {
            flushed(op);
            return;
        }
        setPending(op, false);
        // A daemon that has died may have shown this before the cache was lost, and the guest looks at it only now.
        boolean isOld = op.keeper == 0 && op.cacheLosses != cacheLosses;
        for (int range = 0; range < op.rangeCount; range++) {
            for (int i = op.first[range]; i < op.first[range] + op.count[range]; i++) {
                if (isOld) {
                    blocks[i].acknowledgedAndLost(op.valueOf(i));
                } else {
                    blocks[i].acknowledged(op.valueOf(i), op.keeper);
                }
            }
        }
    }

    private void flushed(Op op) {
        for (int i = 0; i < BLOCKS; i++) {
            if (blocks[i].losses == op.losses[i]) {
                blocks[i].durableFrom(op.bases[i]);
            }
        }
    }

    /** A request has failed, or nobody knows how it ended; what it would have written may be there or not. */
    void unknown(Op op) {
        if (op.changes()) {
            setPending(op, false);
            for (int range = 0; range < op.rangeCount; range++) {
                for (int i = op.first[range]; i < op.first[range] + op.count[range]; i++) {
                    blocks[i].possible(op.valueOf(i));
                }
            }
        }
    }

    /** A request was answered with an error. */
    void failed(Op op) {
        if (!op.mayFail && !diskHasFailed && op.submittedNanos > errorsAllowedUntilNanos) {
            throw new Violation(op + " has failed, and no disk had");
        }
        unknown(op);
    }

    /** A block was read. */
    void read(Op op, int index, long value) {
        int number = op.first[0] + index;
        BlockHistory block = blocks[number];
        int from = block.losses == op.losses[index] ? op.bases[index] : Math.min(op.floors[index], op.bases[index]);
        if (!block.allows(value, from)) {
            throw new Violation("block " + number + " read as " + name(value) + " by " + op + ", and it has" + block);
        }
        boolean unchanged = block.base == op.bases[index] && block.size() == op.sizes[index];
        // What was read before the cache was lost says nothing about what is there now.
        if (unchanged && cacheLosses == op.cacheLosses && !block.isBeingWritten()) {
            block.found(value);
        }
    }

    /** A block with parts of several values was read. */
    Violation mixed(Op op, int index, String words) {
        return new Violation("block " + (op.first[0] + index) + " read by " + op + " is mixed: " + words);
    }

    /** The server's page cache is gone. */
    void cacheLost() {
        cacheLosses++;
        System.arraycopy(keeps, 0, owes, 0, MAX_LIVES);
        for (BlockHistory block : blocks) {
            block.lost(keeps);
        }
    }

    boolean diskHasFailed() {
        return diskHasFailed;
    }

    void diskFailed() {
        diskHasFailed = true;
        cacheLost();
    }

    void diskMended() {
        diskHasFailed = false;
        errorsAllowedUntilNanos = schedule.nowNanos() + LATEST_ERROR_NANOS;
        cacheLost();
    }

    /** What the disk has in a block after everything was flushed. */
    void durable(int number, long value) {
        if (!blocks[number].allows(value, blocks[number].base)) {
            throw new Violation("the disk has " + name(value) + " in block " + number + " after a flush, and it has"
                    + blocks[number]);
        }
    }
}
