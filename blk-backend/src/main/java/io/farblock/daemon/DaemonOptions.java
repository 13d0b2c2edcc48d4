package io.farblock.daemon;

import java.nio.file.Path;
import java.util.UUID;

/**
 * How a node daemon is to run.
 *
 * @param socket where the local API listens; readable and writable by its owner only
 * @param loops how many event loops serve the queues of all devices, at least 1
 * @param clientName what servers show to people as the holder of a volume, such as the host's name
 * @param clientId what servers know this machine by, the same after a restart
 */
public record DaemonOptions(Path socket, int loops, String clientName, UUID clientId) {
    /** Where the local API listens if nobody says otherwise. */
    public static final Path DEFAULT_SOCKET = Path.of("/run/farblock/daemon.sock");

    /** Checks the numbers. */
    public DaemonOptions {
        if (loops < 1) {
            throw new IllegalArgumentException("loops " + loops);
        }
    }
}
