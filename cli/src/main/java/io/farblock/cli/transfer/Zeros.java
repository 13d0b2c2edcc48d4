package io.farblock.cli.transfer;

import java.nio.ByteBuffer;

/** Where zeros end. */
final class Zeros {
    private Zeros() {}

    /** The first byte from {@code from} to {@code to} that is in a word which is not zero; {@code to} if there is none. */
    static int before(ByteBuffer data, int from, int to) {
        int at = from;
        while (at + Long.BYTES <= to && data.getLong(at) == 0) {
            at += Long.BYTES;
        }
        while (at < to && data.get(at) == 0) {
            at++;
        }
        return at;
    }

    /** Behind the last byte from {@code from} to {@code to} that is in a word which is not zero, or {@code from}. */
    static int after(ByteBuffer data, int from, int to) {
        int at = to;
        while (at - Long.BYTES >= from && data.getLong(at - Long.BYTES) == 0) {
            at -= Long.BYTES;
        }
        while (at > from && data.get(at - 1) == 0) {
            at--;
        }
        return at;
    }
}
