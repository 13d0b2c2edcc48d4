package io.farblock.client;

import io.farblock.wire.proto.RefusalCode;

/** A volume could not be opened; the message is one line that tells an operator why. */
public final class OpenFailedException extends Exception {
    private final RefusalCode code;

    OpenFailedException(String message, RefusalCode code) {
        super(message);
        this.code = code;
    }

    /** Why the server refused; unspecified if the server could not be reached. */
    public RefusalCode code() {
        return code;
    }

    /** Whether nobody answered. */
    public boolean isUnreachable() {
        return code == RefusalCode.REFUSAL_CODE_UNSPECIFIED;
    }

    /** Whether the server has no volume of that name. */
    public boolean isNoSuchVolume() {
        return code == RefusalCode.REFUSAL_CODE_NO_SUCH_VOLUME;
    }
}
