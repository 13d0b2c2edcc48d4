package io.farblock.client;

import io.farblock.session.ClientSession;
import java.net.InetSocketAddress;

/**
 * What one queue of a remote volume is doing, for people.
 *
 * @param server whom it talks to
 * @param state what the session is doing
 * @param seconds for how long it is open, or for how long it is not
 * @param reason why the last connection ended or could not be made; empty when it is open
 * @param failing whether requests fail, because it was not open for longer than they may wait
 * @param requestsHeld requests that are not completed; while it is not open, they wait for it
 */
public record RemoteStatus(
        InetSocketAddress server,
        ClientSession.State state,
        long seconds,
        String reason,
        boolean failing,
        int requestsHeld) {
    /** One line, without a full stop. */
    public String inWords() {
        return switch (state) {
            case WAITING, CONNECTING, GREETING -> "waiting for " + address() + " for " + seconds + " s, " + held();
            case RESTORING ->
                "connected to " + address() + " and putting its writes in order for " + seconds + " s, " + held();
            case OPEN -> "connected to " + address() + " for " + seconds + " s";
            case LEAVING -> address() + " is about to stop, " + held();
            case ENDED -> "ended, every request fails: " + reason;
            case CLOSED -> "closed";
        };
    }

    /** What requests wait for, without a full stop. */
    public String waitsFor() {
        return state == ClientSession.State.OPEN ? address() + " has it and has not answered" : inWords();
    }

    /** The same of several queues, which hold so many requests together. */
    public RemoteStatus holding(int requests) {
        return new RemoteStatus(server, state, seconds, reason, failing, requests);
    }

    private String held() {
        if (failing) {
            return "requests fail";
        }
        return requestsHeld == 1 ? "1 request held" : requestsHeld + " requests held";
    }

    private String address() {
        return server.getHostString() + ":" + server.getPort();
    }
}
