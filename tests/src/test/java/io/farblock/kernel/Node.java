package io.farblock.kernel;

import static org.assertj.core.api.Assertions.fail;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.OnNoSpace;
import io.farblock.api.admin.Volume;
import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.DetachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.ListDevicesRequest;
import io.farblock.api.node.NodeGrpc;
import io.farblock.api.node.Target;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * A storage server and a node daemon as operators run them, each a process of the {@code farblock} command, and the
 * stubs of their APIs.
 */
final class Node {
    private static final int DATA_PORT = 17070;
    private static final int ADMIN_PORT = 17071;
    private static final int START_SECONDS = 120;

    private final List<Process> processes = new ArrayList<>();
    private final MultiThreadIoEventLoopGroup loop;
    private final List<ManagedChannel> channels = new ArrayList<>();
    private final Path work;
    final AdminGrpc.AdminBlockingStub admin;
    final NodeGrpc.NodeBlockingStub node;
    private final Path socket;
    private Process server;
    private Process daemon;

    /** Skips the test where the kernel has no VDUSE, or fails it where it must have. */
    static void requireKernel() {
        boolean there = Files.isWritable(Path.of("/dev/vduse/control"));
        if ("1".equals(System.getenv("FARBLOCK_REQUIRE_KERNEL"))) {
            if (!there) {
                fail("this kernel was to have VDUSE, and /dev/vduse/control cannot be written");
            }
        } else {
            Assumptions.assumeTrue(there, "no VDUSE on this kernel, or not root: run tests/kernel/run");
        }
    }

    /** Starts both; the server's data goes below FARBLOCK_TEST_DATA, which is to be on ext4 or xfs. */
    Node() throws IOException, InterruptedException {
        String data = System.getenv().getOrDefault("FARBLOCK_TEST_DATA", "/var/tmp");
        work = Files.createTempDirectory(Path.of(data), "farblock-kernel");
        socket = Files.createTempDirectory("farblock").resolve("daemon.sock");
        startServer();
        startDaemon();
        loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        admin = AdminGrpc.newBlockingStub(keep(NettyChannelBuilder.forAddress("127.0.0.1", ADMIN_PORT)
                .usePlaintext()
                .build()));
        node = NodeGrpc.newBlockingStub(keep(NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .eventLoopGroup(loop)
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .build()));
    }

    /** Starts the server, on the data that the one before it has left. */
    void startServer() throws IOException {
        server = start(
                "server",
                "server",
                "--data",
                work.toString(),
                "--listen",
                "127.0.0.1:" + DATA_PORT,
                "--admin",
                "127.0.0.1:" + ADMIN_PORT);
    }

    /** The server's process: the launcher replaces itself with the JVM. */
    Process server() {
        return server;
    }

    /** Ends the server, which stays away until it is started. */
    void stopServer(boolean gracefully) throws InterruptedException {
        end(server, gracefully);
    }

    /** Starts the daemon, on the state that the one before it has left. */
    void startDaemon() throws IOException {
        daemon = start("daemon", "daemon", "--socket", socket.toString());
    }

    /** Where the daemon's API is, and beside it what it keeps about its devices. */
    Path socket() {
        return socket;
    }

    /** Where the server takes data connections. */
    String dataAddress() {
        return "127.0.0.1:" + DATA_PORT;
    }

    /** The daemon's process: the launcher replaces itself with the JVM. */
    Process daemon() {
        return daemon;
    }

    /** Ends the daemon and starts another on the same socket, as a supervisor would. */
    void restartDaemon(boolean gracefully) throws IOException, InterruptedException {
        stopDaemon(gracefully);
        startDaemon();
    }

    /** Ends the daemon; its devices wait for another. */
    void stopDaemon(boolean gracefully) throws InterruptedException {
        end(daemon, gracefully);
    }

    private void end(Process process, boolean gracefully) throws InterruptedException {
        if (gracefully) {
            process.destroy();
        } else {
            process.destroyForcibly();
        }
        if (!process.waitFor(START_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError("process " + process.pid() + " has not ended within " + START_SECONDS + " s");
        }
        processes.remove(process);
    }

    private ManagedChannel keep(ManagedChannel channel) {
        channels.add(channel);
        return channel;
    }

    private Process start(String name, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(launcher()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log(name).toFile()))
                .start();
        processes.add(process);
        return process;
    }

    static String launcher() {
        return System.getenv().getOrDefault("FARBLOCK_LAUNCHER", "../farblock");
    }

    private static Path log(String name) throws IOException {
        Path logs = Path.of("target", "kernel-logs");
        Files.createDirectories(logs);
        return logs.resolve(name + ".log");
    }

    /** Makes a volume. */
    Volume create(String name, long sizeBytes, int blockSizeBytes) {
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
        return admin.getVolume(GetVolumeRequest.newBuilder().setName(name).build());
    }

    void delete(String name) {
        admin.deleteVolume(DeleteVolumeRequest.newBuilder().setName(name).build());
    }

    /** Makes a device of a volume, with two queues, under the volume's name. */
    Device attach(String volume, boolean readOnly) {
        return node.withWaitForReady()
                .withDeadlineAfter(START_SECONDS, TimeUnit.SECONDS)
                .attach(AttachRequest.newBuilder()
                        .setVolume(volume)
                        .setServer("127.0.0.1:" + DATA_PORT)
                        .setReadOnly(readOnly)
                        .setQueues(2)
                        .setTarget(Target.TARGET_HOST)
                        .build());
    }

    /** What the daemon says of a device now; an empty description while it has none of that name. */
    Device device(String name) {
        // Or it would wait longer after each daemon that it found dead.
        channels.forEach(ManagedChannel::resetConnectBackoff);
        return node
                .withWaitForReady()
                .withDeadlineAfter(START_SECONDS, TimeUnit.SECONDS)
                .listDevices(ListDevicesRequest.getDefaultInstance())
                .getDevicesList()
                .stream()
                .filter(device -> device.getName().equals(name))
                .findFirst()
                .orElse(Device.getDefaultInstance());
    }

    void detach(String name) {
        node.detach(DetachRequest.newBuilder().setName(name).build());
    }

    void detachByForce(String name) {
        node.detach(DetachRequest.newBuilder().setName(name).setForce(true).build());
    }

    /** Stops both, and removes the data. */
    void close() throws IOException, InterruptedException {
        channels.forEach(ManagedChannel::shutdownNow);
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        for (Process process : processes) {
            process.destroy();
            if (!process.waitFor(START_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        }
        Shell.must("rm -rf " + work);
    }
}
