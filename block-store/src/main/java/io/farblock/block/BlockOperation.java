package io.farblock.block;

/** What a store can be asked to do with its blocks. */
public enum BlockOperation {
    /** Fill the payload from the one range. */
    READ,
    /** Store the payload in the one range. */
    WRITE,
    /** Make every write that was acknowledged before this request was submitted survive a power cut. */
    FLUSH,
    /** Forget the ranges; they read as zeros or as before until they are written again. */
    DISCARD,
    /** Make the ranges read as zeros, without a payload. */
    WRITE_ZEROES;

    /** Whether the volume may be another one afterwards. */
    public boolean changes() {
        return this != READ && this != FLUSH;
    }
}
