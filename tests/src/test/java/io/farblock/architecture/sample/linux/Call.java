package io.farblock.architecture.sample.linux;

/** Stands for a system call. */
public final class Call {
    private Call() {}

    /** Does nothing. */
    public static int number() {
        return 1;
    }
}
