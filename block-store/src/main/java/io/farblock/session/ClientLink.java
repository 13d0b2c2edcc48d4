package io.farblock.session;

/**
 * What a client session asks of the network: connections, one at a time. Called on the session's loop only, but for
 * {@link #wake}.
 */
public interface ClientLink extends SessionOutput {
    /**
     * Begins to connect. Answered, never from inside this call, by {@link ClientSession#connected} or
     * {@link ClientSession#disconnected}.
     */
    void connect();

    /** Calls {@link ClientSession#connect} when this time has passed. */
    void connectAfter(long delayNanos);

    /** Calls {@link ClientSession#woken} on the session's loop, once and soon. From any thread. */
    void wake();
}
