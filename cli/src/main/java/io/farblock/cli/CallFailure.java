package io.farblock.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/** Refusals and failures of a gRPC call as exit codes. */
final class CallFailure {
    private CallFailure() {}

    /**
     * The command's end for a call that failed.
     *
     * @param peerAway one line for a peer that does not answer
     * @param unavailable what it means when the peer itself answers that something is unavailable
     */
    static CommandException of(StatusRuntimeException failed, String peerAway, int unavailable) {
        Status status = failed.getStatus();
        String said = status.getDescription() == null ? status.getCode().toString() : status.getDescription();
        return switch (status.getCode()) {
            case INVALID_ARGUMENT -> new CommandException(ExitCode.USAGE, said, failed);
            case NOT_FOUND -> new CommandException(ExitCode.NOT_FOUND, said, failed);
            case ALREADY_EXISTS, FAILED_PRECONDITION, PERMISSION_DENIED, UNAUTHENTICATED ->
                new CommandException(ExitCode.REFUSED, said, failed);
            case DEADLINE_EXCEEDED -> new CommandException(ExitCode.UNREACHABLE, peerAway, failed);
            // A cause is there only if it arose on this side of the connection.
            case UNAVAILABLE ->
                status.getCause() != null
                        ? new CommandException(ExitCode.UNREACHABLE, peerAway, failed)
                        : new CommandException(unavailable, said, failed);
            default -> new CommandException(ExitCode.FAILED, said, failed);
        };
    }
}
