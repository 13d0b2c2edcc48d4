package io.farblock.server;

import io.farblock.api.admin.Overview;
import io.farblock.api.admin.Server;
import io.farblock.metrics.MetricSource;
import io.farblock.tls.Identity;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A storage server: a locked data directory, a data port and an admin port.
 *
 * <p>Started and closed by one thread. Closing asks the clients to go elsewhere, answers what they have in flight, syncs
 * every volume and gives the directory back.
 */
public final class StorageServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StorageServer.class);
    private static final int ADMIN_STOP_SECONDS = 1;
    // How long clients may take to leave: more than a round trip and a slow sync.
    private static final long LEAVE_MILLIS = 10_000;
    // How long the disk may take after that: as long as it takes to write what a server lets become dirty, and less
    // than
    // the 90 s after which systemd kills.
    private static final long SYNC_MILLIS = 60_000;

    // Some 100,000 events a file.
    private static final long AUDIT_FILE_BYTES = 32 << 20;
    // Labels are the longest that somebody has to say.
    private static final int MAX_CALL_BYTES = 64 << 10;
    private static final int MAX_HEADER_BYTES = 8 << 10;
    private static final int MAX_CALLS_OF_CONNECTION = 64;
    // A command on a machine that has much to do takes its time until it says the first word.
    private static final int ADMIN_HANDSHAKE_SECONDS = 15;
    // Who comes back after that makes a new connection and does not notice.
    private static final int ADMIN_IDLE_MINUTES = 10;

    private final ServerOptions options;
    private final DataDirectory directory;
    private final VolumeTable volumes;
    private final AuditLog audit;
    private final DataPort dataPort;
    private final AdminPort adminPort;
    private final io.grpc.Server admin;
    private final ServerMetrics metrics;
    private final Overviews overviews;
    private boolean closed;

    private StorageServer(ServerOptions options, DataDirectory directory, VolumeTable volumes, Threads threads)
            throws StartupException {
        this.options = options;
        this.directory = directory;
        this.volumes = volumes;
        audit = new AuditLog(directory.audit(), AUDIT_FILE_BYTES);
        dataPort = DataPort.open(options, volumes, audit, threads);
        adminPort = new AdminPort(options.links().isEncrypted());
        overviews = new Overviews(volumes, audit.recent(), this::describe, threads::nowNanos);
        try {
            admin = startAdmin();
        } catch (StartupException e) {
            adminPort.close();
            dataPort.disconnectAll(0);
            dataPort.stopLoops();
            throw e;
        }
        metrics = new ServerMetrics(version(), volumes, threads, dataPort::connections);
        metrics.ready(true);
    }

    /**
     * Starts a server; it takes requests when this returns.
     *
     * @throws StartupException if it cannot run here: the message says why, and what to do
     */
    public static StorageServer start(ServerOptions options) throws StartupException {
        return start(options, new Disk());
    }

    static StorageServer start(ServerOptions options, Disk disk) throws StartupException {
        return start(options, disk, PayloadMemory.ofThisProcess());
    }

    static StorageServer start(ServerOptions options, Disk disk, PayloadMemory memory) throws StartupException {
        Addresses.requireSecure(options);
        DurabilityVerifier verifier = DurabilityVerifier.ofThisBoot();
        DataDirectory directory = DataDirectory.open(disk, options.dataDirectory());
        Threads threads = new Threads();
        VolumeTable volumes = null;
        try {
            volumes = new VolumeTable(disk, Catalogue.open(disk, directory), options, verifier, memory, threads);
            StorageServer server = new StorageServer(options, directory, volumes, threads);
            volumes.resumeMerges();
            LOG.info(
                    "serving {} volumes of {} on {}, admin API on {}",
                    volumes.count(),
                    directory.root(),
                    Addresses.text(server.dataAddress()),
                    Addresses.text(server.adminAddress()));
            return server;
        } catch (StartupException | RuntimeException e) {
            if (volumes != null) {
                volumes.close();
            }
            directory.close();
            throw e;
        }
    }

    /** Where clients connect, with the port that was given. */
    public InetSocketAddress dataAddress() {
        return dataPort.address();
    }

    /** Where the admin API is, with the port that was given. */
    public InetSocketAddress adminAddress() {
        return (InetSocketAddress) admin.getListenSockets().get(0);
    }

    /** What it counts, and whether it serves; for as long as it is not closed. */
    public MetricSource metrics() {
        return metrics;
    }

    /**
     * What somebody may see of the server and its volumes: that of {@code GetOverview}, from any thread.
     *
     * @throws IOException if its disk cannot be looked at
     */
    public Overview overview(Identity who) throws IOException {
        try {
            return overviews.of(who);
        } catch (VolumeException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    /** How many data connections there are now. */
    public int connections() {
        return dataPort.connections();
    }

    /**
     * Ends the service in order: connections, volumes, directory.
     *
     * @throws UncheckedIOException if the disk has not answered for a minute; the message says what was not synced
     */
    @Override
    public void close() {
        close(LEAVE_MILLIS, SYNC_MILLIS);
    }

    void close(long leaveMillis, long syncMillis) {
        if (closed) {
            return;
        }
        closed = true;
        metrics.ready(false);
        int disconnected = dataPort.disconnectAll(leaveMillis);
        stopAdmin();
        audit.close();
        // Before the loops end: what the disk was still doing completes on them.
        List<String> unfinished = volumes.closeFiles(syncMillis);
        volumes.close();
        if (!unfinished.isEmpty()) {
            // The directory stays locked until the process is gone: what is stuck at the disk may still write to it.
            throw new UncheckedIOException(new IOException("not flushed: " + String.join("; ", unfinished)));
        }
        dataPort.stopLoops();
        directory.close();
        LOG.info("stopped, everything is flushed; {} connections had to be cut", disconnected);
    }

    private io.grpc.Server startAdmin() throws StartupException {
        try {
            return NettyServerBuilder.forAddress(options.adminAddress())
                    .channelFactory(adminPort::listener)
                    .bossEventLoopGroup(adminPort.loop())
                    .workerEventLoopGroup(adminPort.loop())
                    .sslContext(options.links().callServer())
                    .intercept(new AdminGate(options.links(), volumes.catalogue(), audit))
                    .handshakeTimeout(ADMIN_HANDSHAKE_SECONDS, TimeUnit.SECONDS)
                    .maxConnectionIdle(ADMIN_IDLE_MINUTES, TimeUnit.MINUTES)
                    .maxInboundMessageSize(MAX_CALL_BYTES)
                    .maxInboundMetadataSize(MAX_HEADER_BYTES)
                    .maxConcurrentCallsPerConnection(MAX_CALLS_OF_CONNECTION)
                    .addService(new AdminService(volumes, this::describe, overviews))
                    .build()
                    .start();
        } catch (IOException e) {
            throw Addresses.cannotListen("admin", options.adminAddress(), e);
        }
    }

    private void stopAdmin() {
        admin.shutdown();
        try {
            if (!admin.awaitTermination(ADMIN_STOP_SECONDS, TimeUnit.SECONDS)) {
                admin.shutdownNow();
            }
        } catch (InterruptedException e) {
            admin.shutdownNow();
            Thread.currentThread().interrupt();
        }
        adminPort.close();
    }

    private Server describe() {
        return Server.newBuilder()
                .setVersion(version())
                .setDataAddress(Addresses.text(dataAddress()))
                .setDataDirectory(directory.root().toString())
                .setFreeBytes(freeBytes())
                .setVolumes(volumes.count())
                .setConnections(connections())
                .build();
    }

    private long freeBytes() {
        try {
            return Files.getFileStore(directory.root()).getUsableSpace();
        } catch (IOException e) {
            throw new IllegalStateException("the data directory is locked but cannot be looked at", e);
        }
    }

    private static String version() {
        String version = StorageServer.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
