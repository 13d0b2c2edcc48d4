package io.farblock.session;

import io.farblock.wire.FrameLayout;
import java.util.UUID;

/**
 * How a client opens a volume; the same for all queues of one attachment.
 *
 * @param volume its name
 * @param clientId who this is; the same for the life of a node, so that its lease is its own after a restart
 * @param clientName what others call the holder of the lease
 * @param sessionId this attachment
 * @param life which of the processes that served the attachment in turn this is, from 0 on: its connections win over
 *     those of an earlier one
 * @param readOnly whether to open without a lease
 * @param takeOver whether to take the lease from whoever holds it, when first opening
 * @param features the bits of {@link FrameLayout#FEATURES} to ask for
 * @param maxPayloadBytes the longest payload of a frame, a multiple of 4096
 * @param maxInFlight how many frames may be without a reply
 * @param keepAliveMillis when a server that says nothing is given up
 * @param retryMinMillis the first pause before connecting again
 * @param retryMaxMillis the longest
 * @param failAfterMillis when requests fail with IO_ERROR because the volume was not open for so long, until it is open
 *     again; 0 to wait for ever
 * @param publication what allows it, if the volume is published; 0 for none
 */
public record ClientOptions(
        String volume,
        UUID clientId,
        String clientName,
        UUID sessionId,
        int life,
        boolean readOnly,
        boolean takeOver,
        long features,
        int maxPayloadBytes,
        int maxInFlight,
        int keepAliveMillis,
        int retryMinMillis,
        int retryMaxMillis,
        long failAfterMillis,
        long publication) {
    /** When a server that says nothing is given up, if nobody says otherwise. */
    public static final int USUAL_KEEP_ALIVE_MILLIS = 5_000;

    /** For a new attachment, with the usual limits: a dead server is found within 5 s. */
    public ClientOptions(String volume, UUID clientId, String clientName, boolean readOnly, boolean takeOver) {
        this(
                volume,
                clientId,
                clientName,
                UUID.randomUUID(),
                0,
                readOnly,
                takeOver,
                FrameLayout.USUAL_FEATURES,
                1 << 20,
                128,
                USUAL_KEEP_ALIVE_MILLIS,
                50,
                2_000,
                0,
                0);
    }

    /** The same, for an attachment that has an id already. */
    public ClientOptions ofSession(UUID session, int newLife) {
        return with(session, newLife, features, keepAliveMillis, failAfterMillis, publication);
    }

    /** The same, with a limit to waiting, in milliseconds; 0 for none. */
    public ClientOptions failAfter(long millis) {
        return with(sessionId, life, features, keepAliveMillis, millis, publication);
    }

    /** The same, with another limit to the server's silence, in milliseconds. */
    public ClientOptions keepAlive(int millis) {
        return with(sessionId, life, features, millis, failAfterMillis, publication);
    }

    /** The same, for a volume that is published; the number of the publication. */
    public ClientOptions publishedAs(long number) {
        return with(sessionId, life, features, keepAliveMillis, failAfterMillis, number);
    }

    /** The same, for whoever encrypts and decrypts as the welcome says; others may not open an encrypted volume. */
    public ClientOptions encrypting() {
        long more = features | FrameLayout.FEATURE_ENCRYPTION;
        return with(sessionId, life, more, keepAliveMillis, failAfterMillis, publication);
    }

    private ClientOptions with(
            UUID newSessionId,
            int newLife,
            long newFeatures,
            int newKeepAliveMillis,
            long newFailAfterMillis,
            long newPublication) {
        return new ClientOptions(
                volume,
                clientId,
                clientName,
                newSessionId,
                newLife,
                readOnly,
                takeOver,
                newFeatures,
                maxPayloadBytes,
                maxInFlight,
                newKeepAliveMillis,
                retryMinMillis,
                retryMaxMillis,
                newFailAfterMillis,
                newPublication);
    }
}
