package io.farblock.wire;

import io.farblock.block.BlockOperation;

/** What a frame is about: a closed list of codes of one byte. Control frames begin at 64. */
public final class Opcode {
    public static final int READ = 1;
    public static final int WRITE = 2;
    public static final int FLUSH = 3;
    public static final int DISCARD = 4;
    public static final int WRITE_ZEROES = 5;

    public static final int HELLO = 64;
    public static final int WELCOME = 65;
    public static final int REFUSAL = 66;
    public static final int EVENT = 67;
    public static final int PING = 68;
    public static final int PONG = 69;
    public static final int GOODBYE = 70;

    private Opcode() {}

    /** The code of an operation. */
    public static int of(BlockOperation operation) {
        return switch (operation) {
            case READ -> READ;
            case WRITE -> WRITE;
            case FLUSH -> FLUSH;
            case DISCARD -> DISCARD;
            case WRITE_ZEROES -> WRITE_ZEROES;
        };
    }

    /** The operation of a code, which is one of a data frame. */
    public static BlockOperation operation(int opcode) {
        return switch (opcode) {
            case READ -> BlockOperation.READ;
            case WRITE -> BlockOperation.WRITE;
            case FLUSH -> BlockOperation.FLUSH;
            case DISCARD -> BlockOperation.DISCARD;
            case WRITE_ZEROES -> BlockOperation.WRITE_ZEROES;
            default -> throw new IllegalStateException("opcode " + opcode + " is not one of a data frame");
        };
    }

    /** Whether it asks for blocks; all else is control. */
    public static boolean isData(int opcode) {
        return opcode >= READ && opcode <= WRITE_ZEROES;
    }

    static boolean isControlOfClient(int opcode) {
        return opcode == HELLO || opcode == PING || opcode == PONG || opcode == GOODBYE;
    }

    static boolean isControlOfServer(int opcode) {
        return opcode >= WELCOME && opcode <= GOODBYE;
    }
}
