package io.farblock.kernel;

import static org.assertj.core.api.Assertions.fail;

import io.farblock.api.admin.Volume;
import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.DetachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.GetDaemonRequest;
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
 * A node daemon as operators run it, a process of the {@code farblock} command, the stub of its API, and the storage
 * server that its devices are on.
 */
public final class Node {
    private static final int START_SECONDS = 300;

    private final MultiThreadIoEventLoopGroup loop;
    private final ManagedChannel channel;
    private final ServerProcess server;
    private final Path socket;
    final NodeGrpc.NodeBlockingStub node;
    private final List<String> arguments;
    private Process daemon;

    /** Skips the test where the kernel has no VDUSE, or fails it where it must have. */
    public static void requireKernel() {
        boolean there = Files.isWritable(Path.of("/dev/vduse/control"));
        if ("1".equals(System.getenv("FARBLOCK_REQUIRE_KERNEL"))) {
            if (!there) {
                fail("this kernel was to have VDUSE, and /dev/vduse/control cannot be written");
            }
        } else {
            Assumptions.assumeTrue(there, "no VDUSE on this kernel, or not root: run tests/kernel/run");
        }
    }

    /** Starts a daemon and a server. */
    public Node() throws IOException {
        this(new ServerProcess());
    }

    /** Starts a daemon for a server, which ends with it. */
    Node(ServerProcess server) throws IOException {
        this(server, List.of());
    }

    /** Starts a daemon with more arguments for a server, which ends with it. */
    Node(ServerProcess server, List<String> arguments) throws IOException {
        this.server = server;
        this.arguments = arguments;
        socket = Files.createTempDirectory("farblock").resolve("daemon.sock");
        startDaemon();
        loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        channel = NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toFile()))
                .eventLoopGroup(loop)
                .channelType(EpollDomainSocketChannel.class)
                .usePlaintext()
                .build();
        node = NodeGrpc.newBlockingStub(channel);
    }

    ServerProcess server() {
        return server;
    }

    /** Where the daemon's API is, and beside it what it keeps about its devices. */
    public Path socket() {
        return socket;
    }

    /** Where the server takes data connections. */
    public String dataAddress() {
        return server.address();
    }

    /** Starts the daemon, on the socket and the state that the one before it has left. */
    public void startDaemon() throws IOException {
        List<String> command =
                new ArrayList<>(List.of(launcher(), "daemon", "--insecure", "--socket", socket.toString()));
        command.addAll(arguments);
        daemon = start("daemon", command);
    }

    /** Starts server or daemon again, if either is not alive. */
    void startWhatIsDead() throws IOException {
        if (!server.process().isAlive()) {
            server.start();
        }
        if (!daemon.isAlive()) {
            startDaemon();
        }
    }

    /** The process that serves the devices now. */
    long servingPid() {
        return node.withWaitForReady()
                .getDaemon(GetDaemonRequest.getDefaultInstance())
                .getProcessId();
    }

    /** The daemon's process: the launcher replaces itself with the JVM. */
    public Process daemon() {
        return daemon;
    }

    /** Ends the daemon and starts another on the same socket, as a supervisor would. */
    public void restartDaemon(boolean gracefully) throws IOException, InterruptedException {
        stopDaemon(gracefully);
        startDaemon();
    }

    /** Ends the daemon; its devices wait for another. */
    public void stopDaemon(boolean gracefully) throws InterruptedException {
        end(daemon, gracefully);
    }

    static void end(Process process, boolean gracefully) throws InterruptedException {
        if (gracefully) {
            process.destroy();
        } else {
            process.destroyForcibly();
        }
        if (!process.waitFor(START_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("process " + process.pid() + " has not ended within " + START_SECONDS + " s");
        }
    }

    /** Starts a command whose output goes to a log. */
    static Process start(String name, List<String> command) throws IOException {
        return new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log(name).toFile()))
                .start();
    }

    public static String launcher() {
        return System.getenv().getOrDefault("FARBLOCK_LAUNCHER", "../farblock");
    }

    /** Where the output of all that {@link #start} starts is kept. */
    static Path logs() {
        return Path.of(System.getenv().getOrDefault("FARBLOCK_KERNEL_LOGS", "target/kernel-logs/here"));
    }

    private static Path log(String name) throws IOException {
        Files.createDirectories(logs());
        return logs().resolve(name + ".log");
    }

    public Volume create(String name, long sizeBytes, int blockSizeBytes) {
        return server.create(name, sizeBytes, blockSizeBytes);
    }

    Volume show(String name) {
        return server.show(name);
    }

    public void delete(String name) {
        server.delete(name);
    }

    /** Makes a device of a volume, with two queues, under the volume's name. */
    Device attach(String volume, boolean readOnly) {
        return attach(AttachRequest.newBuilder().setVolume(volume).setReadOnly(readOnly));
    }

    /** Makes a device, with two queues; of the node's server if the request names none. */
    Device attach(AttachRequest.Builder request) {
        return attach(request, Target.TARGET_HOST);
    }

    /** The same for this machine or for a virtual one. */
    public Device attach(AttachRequest.Builder request, Target target) {
        if (request.getServer().isEmpty()) {
            request.setServer(server.address());
        }
        return node.withWaitForReady()
                .withDeadlineAfter(START_SECONDS, TimeUnit.SECONDS)
                .attach(request.setQueues(2).setTarget(target).build());
    }

    /** Makes a volume and a device of it. */
    Attached attachNew(String name, long sizeBytes) {
        create(name, sizeBytes, 4096);
        return new Attached(this, attach(name, false));
    }

    /** What the daemon says of a device now; an empty description while it has none of that name. */
    public Device device(String name) {
        // Or it would wait longer after each daemon that it found dead.
        channel.resetConnectBackoff();
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

    public void detach(String name) {
        node.detach(DetachRequest.newBuilder().setName(name).build());
    }

    public void detachByForce(String name) {
        node.detach(DetachRequest.newBuilder().setName(name).setForce(true).build());
    }

    /** Stops both, and removes the data. */
    public void close() throws IOException, InterruptedException {
        closeDaemon();
        server.close();
    }

    /** Stops the daemon. */
    void closeDaemon() throws InterruptedException {
        channel.shutdownNow();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        if (daemon.isAlive()) {
            stopDaemon(true);
        }
    }
}
