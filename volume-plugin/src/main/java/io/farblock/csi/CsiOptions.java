package io.farblock.csi;

import io.farblock.node.VolumeKeys;
import io.farblock.tls.LinkSecurity;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/**
 * What a driver is started with.
 *
 * @param socket where it listens
 * @param admin the storage server's admin API; unused without the controller
 * @param dataAddress where nodes reach the storage server's data port, host:port; unused without the controller
 * @param daemonSocket the node daemon's local API; unused without the node service
 * @param zone what the nodes that reach the server have in common; empty if all of them do
 * @param maxVolumes how many volumes a node may have at once; 0 for any number
 * @param links how the connection to the admin API is secured; whoever starts the driver closes it
 * @param keys what volumes can be encrypted with; unused without the controller
 */
public record CsiOptions(
        CsiMode mode,
        Path socket,
        InetSocketAddress admin,
        String dataAddress,
        Path daemonSocket,
        String zone,
        int maxVolumes,
        LinkSecurity links,
        VolumeKeys keys) {
    /** The driver's name, as storage classes and the registration on a node have it. */
    public static final String DRIVER = "csi.farblock.io";

    /** The key under which nodes and volumes name their zone. */
    public static final String ZONE_KEY = "topology.csi.farblock.io/zone";

    /** With a plain connection within this machine, and no keys. */
    public CsiOptions(
            CsiMode mode,
            Path socket,
            InetSocketAddress admin,
            String dataAddress,
            Path daemonSocket,
            String zone,
            int maxVolumes) {
        this(
                mode,
                socket,
                admin,
                dataAddress,
                daemonSocket,
                zone,
                maxVolumes,
                LinkSecurity.LOOPBACK_ONLY,
                VolumeKeys.NONE);
    }
}
