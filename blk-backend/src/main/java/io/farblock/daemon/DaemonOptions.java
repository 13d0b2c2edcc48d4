package io.farblock.daemon;

import io.farblock.encryption.KeySource;
import io.farblock.session.ClientOptions;
import io.farblock.tls.LinkSecurity;
import java.nio.file.Path;
import java.util.UUID;

/**
 * How a node daemon is to run.
 *
 * @param socket where the local API listens; readable and writable by its owner and the group
 * @param loops how many event loops serve the queues of all devices, at least 1
 * @param pollMicros how long a loop may look for work before it sleeps, while that pays; 0 for never
 * @param clientName what servers show to people as the holder of a volume, such as the host's name
 * @param clientId what servers know this machine by, the same after a restart
 * @param links how connections to servers are secured; whoever starts the daemon closes it
 * @param group whose members may use the local API too, by name or number; null for nobody's
 * @param keepAliveMillis when a server that says nothing is given up and connected to again
 * @param keys where the keys of encrypted volumes are
 * @param encryptedOnly whether volumes that are not encrypted are refused
 */
public record DaemonOptions(
        Path socket,
        int loops,
        int pollMicros,
        String clientName,
        UUID clientId,
        LinkSecurity links,
        String group,
        int keepAliveMillis,
        KeySource keys,
        boolean encryptedOnly) {
    /** Where the local API listens if nobody says otherwise. */
    public static final Path DEFAULT_SOCKET = Path.of("/run/farblock/daemon.sock");

    /** A wait that is longer costs less than the processor that it is polled with. */
    public static final int MAX_POLL_MICROS = 1000;

    /** Where to poll if nobody says otherwise: a processor that polls must not be one that the work is waiting for. */
    private static final int POLL_FROM_CPUS = 4;

    // A round trip to a server on the same network, and the request at its end.
    private static final int USUAL_POLL_MICROS = 50;

    /** Checks the numbers. */
    public DaemonOptions {
        if (loops < 1) {
            throw new IllegalArgumentException("loops " + loops);
        }
        if (pollMicros < 0 || pollMicros > MAX_POLL_MICROS) {
            throw new IllegalArgumentException("pollMicros " + pollMicros);
        }
    }

    /** With plain links, within this machine. */
    public DaemonOptions(Path socket, int loops, int pollMicros, String clientName, UUID clientId) {
        this(
                socket,
                loops,
                pollMicros,
                clientName,
                clientId,
                LinkSecurity.LOOPBACK_ONLY,
                null,
                ClientOptions.USUAL_KEEP_ALIVE_MILLIS,
                new KeySource(KeySource.DEFAULT_FOLDER, null),
                false);
    }

    /** The same with its connections secured in another way. */
    public DaemonOptions withLinks(LinkSecurity others) {
        return with(others, group, keepAliveMillis, keys, encryptedOnly);
    }

    /** The same with a local API that others may use too. */
    public DaemonOptions withGroup(String other) {
        return with(links, other, keepAliveMillis, keys, encryptedOnly);
    }

    /** The same with another limit to a server's silence. */
    public DaemonOptions withKeepAlive(int millis) {
        return with(links, group, millis, keys, encryptedOnly);
    }

    /** The same with keys from elsewhere, for encrypted volumes and, if these alone are wanted, for no others. */
    public DaemonOptions withKeys(KeySource others, boolean theseAlone) {
        return with(links, group, keepAliveMillis, others, theseAlone);
    }

    private DaemonOptions with(
            LinkSecurity newLinks,
            String newGroup,
            int newKeepAliveMillis,
            KeySource newKeys,
            boolean newEncryptedOnly) {
        return new DaemonOptions(
                socket,
                loops,
                pollMicros,
                clientName,
                clientId,
                newLinks,
                newGroup,
                newKeepAliveMillis,
                newKeys,
                newEncryptedOnly);
    }

    /** How long loops poll on this machine if nobody says otherwise. */
    public static int defaultPollMicros(int cpus) {
        return cpus < POLL_FROM_CPUS ? 0 : USUAL_POLL_MICROS;
    }
}
