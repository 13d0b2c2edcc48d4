package io.farblock.kernel;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.OnNoSpace;
import io.farblock.api.admin.Volume;
import io.farblock.metrics.Scrape;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A storage server as operators run it, a process of the {@code farblock} command, and the stub of its API. */
final class ServerProcess {
    private static final int START_SECONDS = 300;

    private final List<String> prefix;
    private final String host;
    private final int port;
    private final Path data;
    private final ManagedChannel channel;
    final AdminGrpc.AdminBlockingStub admin;
    private Process process;

    /** Starts one with its data below {@link #dataFolder}, on a port of the usual tests. */
    ServerProcess() throws IOException {
        this(dataFolder(), 17070, List.of(), "127.0.0.1");
    }

    /**
     * Starts one.
     *
     * @param folder below which its data goes
     * @param port for data; the admin API has the next one, metrics the one after that
     * @param prefix the command that it is run by, such as one that enters a network namespace
     * @param host the address that it listens on
     */
    ServerProcess(Path folder, int port, List<String> prefix, String host) throws IOException {
        this.prefix = prefix;
        this.host = host;
        this.port = port;
        data = Files.createTempDirectory(folder, "farblock-kernel");
        start();
        channel = NettyChannelBuilder.forAddress(host, port + 1).usePlaintext().build();
        admin = AdminGrpc.newBlockingStub(channel);
    }

    /** Where tests keep a server's data: FARBLOCK_TEST_DATA, which is to be on ext4 or xfs. */
    static Path dataFolder() {
        return Path.of(System.getenv().getOrDefault("FARBLOCK_TEST_DATA", "/var/tmp"));
    }

    /** Its data directory. */
    Path data() {
        return data;
    }

    /** Where it takes data connections. */
    String address() {
        return host + ":" + port;
    }

    /** Where it takes admin calls. */
    String adminAddress() {
        return host + ":" + (port + 1);
    }

    /** What it says of itself now. */
    Scrape scrape() throws IOException {
        return Scrape.of(new InetSocketAddress(host, port + 2));
    }

    /** Starts it, on the data that the one before it has left. */
    void start() throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(Node.launcher(), "server", "--data", data.toString()));
        command.addAll(List.of("--listen", address(), "--admin", adminAddress(), "--insecure"));
        command.addAll(List.of("--metrics", host + ":" + (port + 2)));
        process = Node.start("server-" + port, command);
    }

    /** The process: the launcher replaces itself with the JVM. */
    Process process() {
        return process;
    }

    /** Ends it; it stays away until it is started. */
    void stop(boolean gracefully) throws InterruptedException {
        Node.end(process, gracefully);
    }

    /** Makes a volume whose writes wait while the disk is full. */
    Volume create(String name, long sizeBytes, int blockSizeBytes) {
        channel.resetConnectBackoff();
        return admin.withWaitForReady()
                .withDeadlineAfter(START_SECONDS, TimeUnit.SECONDS)
                .createVolume(CreateVolumeRequest.newBuilder()
                        .setName(name)
                        .setSizeBytes(sizeBytes)
                        .setBlockSizeBytes(blockSizeBytes)
                        .setOnNoSpace(OnNoSpace.ON_NO_SPACE_QUEUE)
                        .build());
    }

    Volume show(String name) {
        // Or it would wait longer after each server that it found dead.
        channel.resetConnectBackoff();
        return admin.withWaitForReady()
                .withDeadlineAfter(START_SECONDS, TimeUnit.SECONDS)
                .getVolume(GetVolumeRequest.newBuilder().setName(name).build());
    }

    void delete(String name) {
        var unused = admin.deleteVolume(
                DeleteVolumeRequest.newBuilder().setName(name).build());
    }

    void snapshot(String volume, String name) {
        var unused = admin.createSnapshot(CreateSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setName(name)
                .build());
    }

    void deleteSnapshot(String volume, String name) {
        var unused = admin.deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setName(name)
                .build());
    }

    /** Makes a volume that begins as a snapshot. */
    void copy(String volume, String snapshot, String name) {
        var unused = admin.cloneSnapshot(CloneSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setSnapshot(snapshot)
                .setName(name)
                .build());
    }

    /** Stops it, and removes its data. */
    void close() throws IOException, InterruptedException {
        channel.shutdownNow();
        if (process.isAlive()) {
            stop(true);
        }
        Shell.must("rm -rf " + data);
    }
}
