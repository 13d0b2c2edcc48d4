package io.farblock.csi;

import io.farblock.node.NodeException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/** The codes that the interface prescribes for what cannot be done, each with a sentence that says why. */
final class Refusal {
    private Refusal() {}

    static StatusRuntimeException invalid(String why) {
        return of(Status.INVALID_ARGUMENT, why);
    }

    static StatusRuntimeException notFound(String why) {
        return of(Status.NOT_FOUND, why);
    }

    /** The same name or place is taken by something else than what is asked for. */
    static StatusRuntimeException differs(String why) {
        return of(Status.ALREADY_EXISTS, why);
    }

    /** It is not allowed as things are. */
    static StatusRuntimeException precondition(String why) {
        return of(Status.FAILED_PRECONDITION, why);
    }

    static StatusRuntimeException exhausted(String why) {
        return of(Status.RESOURCE_EXHAUSTED, why);
    }

    static StatusRuntimeException outOfRange(String why) {
        return of(Status.OUT_OF_RANGE, why);
    }

    /** Not now; it may work when it is asked for again. */
    static StatusRuntimeException unavailable(String why) {
        return of(Status.UNAVAILABLE, why);
    }

    static StatusRuntimeException aborted(String why) {
        return of(Status.ABORTED, why);
    }

    static StatusRuntimeException of(NodeException failed) {
        Status status = switch (failed.kind()) {
            case NOT_FOUND -> Status.NOT_FOUND;
            case INVALID -> Status.INVALID_ARGUMENT;
            case REFUSED -> Status.FAILED_PRECONDITION;
            case UNREACHABLE -> Status.UNAVAILABLE;
            case FAILED -> Status.INTERNAL;
        };
        return of(status, failed.getMessage());
    }

    static boolean isNotFound(StatusRuntimeException failed) {
        return failed.getStatus().getCode() == Status.Code.NOT_FOUND;
    }

    private static StatusRuntimeException of(Status status, String why) {
        return status.withDescription(why).asRuntimeException();
    }
}
