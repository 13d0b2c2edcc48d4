package io.farblock.daemon;

import io.farblock.bench.VhostUserLink;
import io.farblock.client.RemoteStore;
import io.farblock.client.RemoteVolume;
import io.farblock.device.BlkConfigSpace;
import io.farblock.device.BlkLimits;
import io.farblock.linux.EventFd;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.UnixSocket;
import io.farblock.session.ClientOptions;
import io.farblock.vduse.VduseQueueInfo;
import io.farblock.virtio.VirtQueueAddresses;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Volumes as vhost-user devices, in a process of their own: the daemon's queues, stores and loops, fed by drivers over
 * Unix sockets instead of by the kernel. For measurements: one front end for each, once, and it is trusted.
 *
 * <p>It stands in the daemon's package because that is where a queue is run.
 */
public final class VhostUserBackend {
    /** The system property that says how long its loops look for work before they sleep. */
    public static final String POLL_MICROS = "farblock.bench.poll.micros";

    private static final int OPEN_SECONDS = 30;
    private static final int CLOSE_SECONDS = 5;
    private static final byte[] SERIAL = new byte[20];

    /** A queue while the front end describes it. */
    private static final class Setup {
        private int entries;
        private int firstAvailIndex;
        private VirtQueueAddresses addresses;
        private EventFd call;
        private QueueRunner runner;
        private QueueLogs logs;
    }

    private final VhostUserLink link;
    private final List<RemoteStore> stores;
    private final List<Setup> queues = new ArrayList<>();
    private final VhostUserRegions regions;
    private long features;

    private VhostUserBackend(VhostUserLink link, List<RemoteStore> stores, boolean stableMemory) {
        this.link = link;
        this.stores = stores;
        regions = new VhostUserRegions(stableMemory);
        stores.forEach(store -> queues.add(new Setup()));
    }

    /**
     * Serves one front end for each volume until they go.
     *
     * @param arguments the path of the socket to listen on, of the first volume; host and port of the server; the
     *     volumes, with commas between; how many queues each has; "stable" if the driver's memory is to be taken for the
     *     kernel's, which does not change in flight
     */
    public static void main(String[] arguments) throws Exception {
        InetSocketAddress server = new InetSocketAddress(arguments[1], Integer.parseInt(arguments[2]));
        String[] volumes = arguments[3].split(",", -1);
        int queues = Integer.parseInt(arguments[4]);
        MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(
                Runtime.getRuntime().availableProcessors(), PollBeforeSleep.loops(Integer.getInteger(POLL_MICROS, 0)));
        ExecutorService threads = Executors.newCachedThreadPool();
        List<Future<?>> served = new ArrayList<>();
        for (int i = 0; i < volumes.length; i++) {
            List<RemoteStore> stores = open(server, volumes[i], queues, loops);
            String path = socket(Path.of(arguments[0]), i).toString();
            served.add(threads.submit(() -> {
                serve(path, stores, arguments.length > 5);
                return null;
            }));
        }
        for (Future<?> end : served) {
            end.get();
        }
        threads.shutdown();
        loops.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
    }

    /** Where the device of a volume is found. */
    public static Path socket(Path first, int index) {
        return index == 0 ? first : first.resolveSibling(first.getFileName() + "." + index);
    }

    private static void serve(String path, List<RemoteStore> stores, boolean stableMemory) throws IOException {
        // It gets its name when it can be connected to, which is later than the moment at which it is there.
        String early = path + "-";
        try (UnixSocket socket = UnixSocket.listen(early)) {
            Files.move(Path.of(early), Path.of(path));
            System.out.println("listening");
            try (VhostUserLink link = new VhostUserLink(socket.accept())) {
                new VhostUserBackend(link, stores, stableMemory).serve();
            }
        }
    }

    private static List<RemoteStore> open(
            InetSocketAddress server, String volumeName, int queues, MultiThreadIoEventLoopGroup loops)
            throws Exception {
        ClientOptions options = new ClientOptions(volumeName, new UUID(2, 2), "bench", false, false);
        RemoteVolume volume = RemoteVolume.open(server, options, BlkLimits.QUEUE_ENTRIES, loops.next())
                .get(OPEN_SECONDS, TimeUnit.SECONDS);
        List<RemoteStore> stores = new ArrayList<>();
        stores.add(volume.store());
        for (int i = 1; i < queues; i++) {
            stores.add(volume.openQueue(i, loops.next()).get(OPEN_SECONDS, TimeUnit.SECONDS));
        }
        return stores;
    }

    private void serve() throws IOException {
        for (ByteBuffer message = link.receive(); message != null; message = link.receive()) {
            handle(message);
        }
        for (Setup queue : queues) {
            if (queue.runner != null) {
                queue.runner.loop().submit(() -> stop(queue.runner)).syncUninterruptibly();
                queue.runner.loop().submit(queue.runner::close).syncUninterruptibly();
                queue.logs.close();
            }
        }
    }

    private static void stop(QueueRunner runner) {
        runner.queue().drain(() -> {});
        runner.queue().cancel();
        runner.reset();
    }

    private void handle(ByteBuffer message) throws IOException {
        switch (link.request()) {
            case VhostUserLink.GET_FEATURES ->
                reply(BlkConfigSpace.features(stores.get(0).info()) | VhostUserLink.F_PROTOCOL_FEATURES);
            case VhostUserLink.SET_FEATURES -> features = message.getLong(0);
            case VhostUserLink.GET_PROTOCOL_FEATURES -> reply(VhostUserLink.PROTOCOL_F_MQ);
            case VhostUserLink.GET_QUEUE_NUM -> reply(queues.size());
            case VhostUserLink.SET_OWNER, VhostUserLink.SET_PROTOCOL_FEATURES -> {}
            case VhostUserLink.SET_MEM_TABLE -> regions.set(message, link.descriptors());
            default -> handle(queues.get(message.getInt(0) & 0xFF), message);
        }
    }

    private void handle(Setup queue, ByteBuffer message) throws IOException {
        switch (link.request()) {
            case VhostUserLink.SET_VRING_NUM -> queue.entries = message.getInt(4);
            case VhostUserLink.SET_VRING_BASE -> queue.firstAvailIndex = message.getInt(4);
            case VhostUserLink.SET_VRING_ADDR ->
                queue.addresses = new VirtQueueAddresses(
                        queue.entries,
                        regions.iova(message.getLong(8)),
                        regions.iova(message.getLong(24)),
                        regions.iova(message.getLong(16)));
            case VhostUserLink.SET_VRING_CALL -> queue.call = new EventFd(descriptor());
            case VhostUserLink.SET_VRING_KICK -> open(queue, message.getInt(0) & 0xFF, new EventFd(descriptor()));
            case VhostUserLink.SET_VRING_ENABLE -> start(queue, message.getInt(0));
            default -> throw new IOException("vhost-user request " + link.request() + " is not served");
        }
    }

    private FileDescriptor descriptor() {
        return link.descriptors().get(0);
    }

    private void open(Setup queue, int index, EventFd kick) throws IOException {
        IoEventLoop loop = stores.get(index).loop();
        EventFd call = queue.call;
        queue.logs = QueueLogs.unknown(1);
        queue.runner = new QueueRunner(
                "bench queue " + index,
                index,
                kick,
                regions,
                () -> {
                    call.signal();
                    return 0;
                },
                stores.get(index),
                queue.logs.get(0),
                loop,
                SERIAL,
                () -> {});
        loop.submit(queue.runner::open).syncUninterruptibly();
    }

    private void start(Setup queue, int index) {
        VduseQueueInfo info = new VduseQueueInfo(index, queue.addresses, queue.firstAvailIndex, true);
        queue.runner
                .loop()
                .submit(() -> queue.runner.start(info, features, false))
                .syncUninterruptibly();
    }

    private void reply(long value) throws IOException {
        link.reply(VhostUserLink.payload(Long.BYTES).putLong(value).flip());
    }
}
