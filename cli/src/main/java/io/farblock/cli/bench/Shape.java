package io.farblock.cli.bench;

/**
 * What is asked of a store.
 *
 * @param sequential one after the other from the beginning, or at random
 * @param lengthBytes of each request
 * @param depth how many are in flight at once
 */
public record Shape(boolean write, boolean sequential, int lengthBytes, int depth) {
    /** The same with another number in flight. */
    public Shape withDepth(int newDepth) {
        return new Shape(write, sequential, lengthBytes, newDepth);
    }

    /** Such as {@code read 4K random, 32 at once}. */
    @Override
    public String toString() {
        return (write ? "write " : "read ") + (lengthBytes >> 10) + "K " + (sequential ? "sequential, " : "random, ")
                + depth + " at once";
    }
}
