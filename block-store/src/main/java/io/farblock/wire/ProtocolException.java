package io.farblock.wire;

/** The peer has broken the protocol: its connection is closed, and the message says why. */
public final class ProtocolException extends Exception {
    /** @param message what the peer did, one line */
    public ProtocolException(String message) {
        super(message);
    }
}
