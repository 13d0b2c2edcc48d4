package io.farblock.simulation;

/** A request of a guest, from its submission to its end. */
final class Op {
    /** As virtio-blk numbers them. */
    enum Kind {
        READ(0),
        WRITE(1),
        FLUSH(4),
        DISCARD(11),
        ZERO(13);

        final int type;

        Kind(int type) {
            this.type = type;
        }
    }

    static final int MAX_RANGES = 3;

    final int node;
    final int head;
    Kind kind = Kind.FLUSH;
    int rangeCount;
    final int[] first = new int[MAX_RANGES];
    final int[] count = new int[MAX_RANGES];
    /** What it writes: each block gets this with its own number. */
    long stamp;

    boolean inFlight;
    /** Whether somebody gave it up on purpose. */
    boolean mayFail;

    int keeper;
    long submittedNanos;
    /** How often the page cache had been lost by then. */
    int cacheLosses;
    /** What the oracle knew of each block when it was submitted. */
    int[] bases = new int[64];

    int[] floors = new int[64];
    int[] losses = new int[64];
    int[] sizes = new int[64];

    Op(int node, int head) {
        this.node = node;
        this.head = head;
    }

    boolean changes() {
        return kind == Kind.WRITE || kind == Kind.DISCARD || kind == Kind.ZERO;
    }

    /** What it leaves in a block. */
    long valueOf(int block) {
        return kind == Kind.WRITE ? stamp | (long) block << 6 : 0;
    }

    void snapshotSize(int blocks) {
        if (bases.length < blocks) {
            bases = new int[blocks];
            floors = new int[blocks];
            losses = new int[blocks];
            sizes = new int[blocks];
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("node " + node + " head " + head + " " + kind);
        for (int i = 0; i < rangeCount; i++) {
            text.append(" [")
                    .append(first[i])
                    .append(", ")
                    .append(first[i] + count[i])
                    .append(')');
        }
        return text + (kind == Kind.WRITE ? " of " + Oracle.name(stamp) : "");
    }
}
