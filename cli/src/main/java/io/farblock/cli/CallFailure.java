package io.farblock.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import javax.net.ssl.SSLException;

/** Refusals and failures of a gRPC call as exit codes. */
final class CallFailure {
    /** What gRPC says when nothing tells it more; so says NettyClientHandler of version 1. */
    private static final String CLOSED_BY_PEER = "Network closed for unknown reason";

    private CallFailure() {}

    /**
     * The command's end for a call that failed.
     *
     * @param peerAway one line for a peer that does not answer
     * @param peerClosed one line for a connection that the peer closed instead of an answer
     * @param unavailable what it means when the peer itself answers that something is unavailable
     */
    static CommandException of(StatusRuntimeException failed, String peerAway, String peerClosed, int unavailable) {
        Status status = failed.getStatus();
        String said = status.getDescription() == null ? status.getCode().toString() : status.getDescription();
        return switch (status.getCode()) {
            case INVALID_ARGUMENT -> new CommandException(ExitCode.USAGE, said, failed);
            case NOT_FOUND -> new CommandException(ExitCode.NOT_FOUND, said, failed);
            case ALREADY_EXISTS, FAILED_PRECONDITION, PERMISSION_DENIED, UNAUTHENTICATED ->
                new CommandException(ExitCode.REFUSED, said, failed);
            case DEADLINE_EXCEEDED -> new CommandException(ExitCode.UNREACHABLE, peerAway, failed);
            case UNAVAILABLE ->
                isAway(status.getCause())
                        ? new CommandException(ExitCode.UNREACHABLE, peerAway, failed)
                        : new CommandException(unavailable, ending(status, said, peerClosed), failed);
            case UNKNOWN ->
                // So gRPC says it of a connection that went while the call was being sent.
                status.getCause() instanceof IOException
                        ? new CommandException(unavailable, peerClosed, failed)
                        : new CommandException(ExitCode.FAILED, said, failed);
            default -> new CommandException(ExitCode.FAILED, said, failed);
        };
    }

    /** Whether there never was a connection; there is a cause only if it arose on this side of one. */
    private static boolean isAway(Throwable cause) {
        return cause instanceof ConnectException
                || cause instanceof NoRouteToHostException
                // A Unix socket that is not there.
                || cause instanceof FileNotFoundException;
    }

    /** What ended a connection, if it did not answer itself. */
    private static String ending(Status status, String said, String peerClosed) {
        if (status.getCause() instanceof SSLException secure) {
            return "the other end did not agree to TLS: " + rootOf(secure).getMessage();
        }
        return status.getCause() != null || said.equals(CLOSED_BY_PEER) ? peerClosed : said;
    }

    private static Throwable rootOf(Throwable failed) {
        return failed.getCause() == null ? failed : rootOf(failed.getCause());
    }
}
