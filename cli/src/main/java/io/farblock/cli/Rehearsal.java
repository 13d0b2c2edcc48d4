package io.farblock.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.node.ListDevicesRequest;
import io.farblock.cli.bench.QueuedLoad;
import io.farblock.cli.bench.Shape;
import io.farblock.client.RemoteStore;
import io.farblock.client.RemoteVolume;
import io.farblock.daemon.DaemonLock;
import io.farblock.daemon.DaemonOptions;
import io.farblock.daemon.NodeDaemon;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.session.ClientOptions;
import io.farblock.tls.LinkSecurity;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/**
 * Does once in a corner what servers, daemons and commands do: a process that has loaded its classes and compiled its
 * loops goes on with somebody else's devices ten times faster than one that has just started.
 */
final class Rehearsal {
    private static final String VOLUME = "rehearsal";
    private static final int VOLUME_BYTES = 1 << 20;
    private static final int REQUEST_BYTES = 4096;
    private static final int DEPTH = 8;
    private static final int HEADS = 256;
    private static final long LOAD_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private Rehearsal() {}

    /** The same in a folder of its own below {@code parent}, without a word in the log. Takes a second or two. */
    static void runBelow(Path parent) throws Exception {
        Files.createDirectories(parent);
        Path folder = Files.createTempDirectory(parent, "rehearsal");
        Logger log = (Logger) LoggerFactory.getLogger("io.farblock");
        Level level = log.getLevel();
        log.setLevel(Level.ERROR);
        // Somebody may end the process meanwhile.
        Thread cleaner = new Thread(() -> delete(folder), "farblock-rehearsal");
        Runtime.getRuntime().addShutdownHook(cleaner);
        try {
            run(folder);
        } finally {
            log.setLevel(level);
            delete(folder);
            Runtime.getRuntime().removeShutdownHook(cleaner);
        }
    }

    /** @param folder an empty one */
    static void run(Path folder) throws Exception {
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        Path socket = folder.resolve("daemon.sock");
        NodeIdentity identity = NodeIdentity.ofThisHost(socket);
        DaemonOptions options = new DaemonOptions(socket, 1, 0, identity.name(), identity.id());
        try (StorageServer server = StorageServer.start(ServerOptions.of(folder.resolve("data"), anyPort, anyPort));
                NodeDaemon daemon = NodeDaemon.start(options, DaemonLock.take(socket), () -> {});
                AdminClient admin =
                        new AdminClient("127.0.0.1:" + server.adminAddress().getPort(), LinkSecurity.LOOPBACK_ONLY);
                NodeClient node = new NodeClient(socket)) {
            admin.call(stub -> stub.createVolume(CreateVolumeRequest.newBuilder()
                    .setName(VOLUME)
                    .setSizeBytes(VOLUME_BYTES)
                    .build()));
            admin.call(stub -> stub.listVolumes(ListVolumesRequest.getDefaultInstance()));
            daemon.devices();
            node.call(stub -> stub.listDevices(ListDevicesRequest.getDefaultInstance()));
            useVolume(server.dataAddress());
        }
    }

    private static void useVolume(InetSocketAddress server) throws Exception {
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
        try {
            ClientOptions client = new ClientOptions(VOLUME, UUID.randomUUID(), VOLUME, false, false);
            RemoteStore store =
                    RemoteVolume.open(server, client, HEADS, loops.next()).get().store();
            for (boolean write : List.of(true, false)) {
                Shape shape = new Shape(write, false, REQUEST_BYTES, DEPTH);
                QueuedLoad.start(List.of(store), shape, 1, LOAD_NANOS).get();
            }
            store.loop().submit(store::close).sync();
            store.closed().sync();
        } finally {
            loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            LoggerFactory.getLogger(Rehearsal.class).warn("{} is left behind: {}", folder, e.toString());
        }
    }
}
