package io.farblock.docker;

import io.farblock.node.VolumeKeys;
import io.farblock.tls.LinkSecurity;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/**
 * What a plugin is started with.
 *
 * @param socket where it listens
 * @param admin the storage server's admin API
 * @param dataAddress the storage server's data port as the daemon reaches it, host:port
 * @param daemonSocket the node daemon's local API
 * @param state where volumes are mounted, and where it is kept for whom
 * @param defaultSizeBytes of a volume that is created without a size
 * @param links how the connection to the admin API is secured; whoever starts the plugin closes it
 * @param keys what volumes can be encrypted with
 */
public record DockerOptions(
        Path socket,
        InetSocketAddress admin,
        String dataAddress,
        Path daemonSocket,
        Path state,
        long defaultSizeBytes,
        LinkSecurity links,
        VolumeKeys keys) {
    /** With a plain connection within this machine, and no keys. */
    public DockerOptions(
            Path socket,
            InetSocketAddress admin,
            String dataAddress,
            Path daemonSocket,
            Path state,
            long defaultSizeBytes) {
        this(
                socket,
                admin,
                dataAddress,
                daemonSocket,
                state,
                defaultSizeBytes,
                LinkSecurity.LOOPBACK_ONLY,
                VolumeKeys.NONE);
    }
}
