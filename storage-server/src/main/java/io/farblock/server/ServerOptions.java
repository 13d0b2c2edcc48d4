package io.farblock.server;

import io.farblock.session.ServerLimits;
import io.farblock.tls.LinkSecurity;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/**
 * What a server is started with.
 *
 * @param name what clients and messages call this server
 * @param dataDirectory where the volumes lie; made if it is not there
 * @param dataAddress where clients connect; port 0 takes any free one
 * @param adminAddress where the admin API is served; port 0 takes any free one
 * @param loops how many event loops serve the data port
 * @param maxConnections how many data connections there may be at once
 * @param limits what each of them is allowed
 * @param maxDirtyBytes above how many unsynced bytes of a volume a sync begins and writes leave the event loops
 * @param workersPerVolume how many threads at most wait for the disk under one volume
 * @param reserveBytes how much of the disk no volume may take; 0 for nothing
 * @param checksumMemoryBytes how much of the checksums of all volumes is in memory at most
 * @param links how connections to both ports are secured; whoever starts the server closes it
 */
public record ServerOptions(
        String name,
        Path dataDirectory,
        InetSocketAddress dataAddress,
        InetSocketAddress adminAddress,
        int loops,
        int maxConnections,
        ServerLimits limits,
        long maxDirtyBytes,
        int workersPerVolume,
        long reserveBytes,
        long checksumMemoryBytes,
        LinkSecurity links) {
    /** Refuses counts with which nothing could be served. */
    public ServerOptions {
        if (loops < 1
                || maxConnections < 1
                || maxDirtyBytes < 1
                || workersPerVolume < 1
                || reserveBytes < 0
                || checksumMemoryBytes < 1) {
            throw new IllegalArgumentException(
                    "every count of the server's options must be at least 1, the reserve at least 0");
        }
    }

    /** The same over plain connections within this machine. */
    public ServerOptions(
            String name,
            Path dataDirectory,
            InetSocketAddress dataAddress,
            InetSocketAddress adminAddress,
            int loops,
            int maxConnections,
            ServerLimits limits,
            long maxDirtyBytes,
            int workersPerVolume,
            long reserveBytes,
            long checksumMemoryBytes) {
        this(
                name,
                dataDirectory,
                dataAddress,
                adminAddress,
                loops,
                maxConnections,
                limits,
                maxDirtyBytes,
                workersPerVolume,
                reserveBytes,
                checksumMemoryBytes,
                LinkSecurity.LOOPBACK_ONLY);
    }

    /** The defaults, for a data directory and two addresses. */
    public static ServerOptions of(Path dataDirectory, InetSocketAddress dataAddress, InetSocketAddress adminAddress) {
        return new ServerOptions(
                "farblock",
                dataDirectory,
                dataAddress,
                adminAddress,
                Runtime.getRuntime().availableProcessors(),
                4096,
                ServerLimits.DEFAULT,
                64 << 20,
                4,
                0,
                256 << 20);
    }

    /** The same with so much of the disk kept free. */
    public ServerOptions withReserve(long bytes) {
        return new ServerOptions(
                name,
                dataDirectory,
                dataAddress,
                adminAddress,
                loops,
                maxConnections,
                limits,
                maxDirtyBytes,
                workersPerVolume,
                bytes,
                checksumMemoryBytes,
                links);
    }

    /** The same with so much memory for checksums: 1 MiB for each GiB that is in use. */
    public ServerOptions withChecksumMemory(long bytes) {
        return new ServerOptions(
                name,
                dataDirectory,
                dataAddress,
                adminAddress,
                loops,
                maxConnections,
                limits,
                maxDirtyBytes,
                workersPerVolume,
                reserveBytes,
                bytes,
                links);
    }

    /** The same with its connections secured in another way. */
    public ServerOptions withLinks(LinkSecurity others) {
        return new ServerOptions(
                name,
                dataDirectory,
                dataAddress,
                adminAddress,
                loops,
                maxConnections,
                limits,
                maxDirtyBytes,
                workersPerVolume,
                reserveBytes,
                checksumMemoryBytes,
                others);
    }
}
