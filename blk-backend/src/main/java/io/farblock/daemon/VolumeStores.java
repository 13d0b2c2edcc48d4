package io.farblock.daemon;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.DeviceRecord;
import io.farblock.block.BlockStore;
import io.farblock.client.OpenFailedException;
import io.farblock.client.RemoteStatus;
import io.farblock.client.RemoteStore;
import io.farblock.client.RemoteVolume;
import io.farblock.daemon.DaemonException.Kind;
import io.farblock.device.BlkLimits;
import io.farblock.encryption.EncryptedStore;
import io.farblock.encryption.KeyException;
import io.farblock.encryption.VolumeKey;
import io.farblock.session.ClientOptions;
import io.farblock.session.ClientSession;
import io.farblock.session.SessionCounters;
import io.farblock.wire.WireBuffers;
import io.farblock.wire.proto.Welcome;
import io.netty.channel.IoEventLoop;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stores of one attached volume: one for each queue, on the queue's loop, all of one session with the server.
 *
 * <p>Made and closed on a thread that may wait, which is no event loop; what it tells may be asked from any.
 */
final class VolumeStores {
    private static final int CLOSE_SECONDS = 3;
    private static final Logger LOG = LoggerFactory.getLogger(VolumeStores.class);

    private final RemoteVolume volume;
    private final List<RemoteStore> stores = new ArrayList<>();
    // What devices use: the stores themselves, or those that encrypt over them.
    private final List<BlockStore> blocks = new ArrayList<>();

    private VolumeStores(RemoteVolume volume) {
        this.volume = volume;
        add(volume.store());
    }

    private void add(RemoteStore store) {
        stores.add(store);
        blocks.add(store);
    }

    /** Opens the volume of a record for the first time. */
    static VolumeStores open(DaemonOptions options, DeviceRecord record, List<IoEventLoop> loops)
            throws DaemonException {
        AttachRequest request = record.getRequest();
        InetSocketAddress server = address(request.getServer());
        ClientOptions client = clientOptions(options, record, request.getTakeOver());
        if (request.getTakeOver()) {
            requireKey(options, record, server, loops.get(0));
        }
        VolumeStores opened = new VolumeStores(await(
                request, RemoteVolume.open(server, options.links(), client, BlkLimits.QUEUE_ENTRIES, loops.get(0))));
        try {
            for (int queue = 1; queue < loops.size(); queue++) {
                opened.add(await(request, opened.volume.openQueue(queue, loops.get(queue))));
            }
            opened.encryptWith(newKey(options, record, opened.welcome()));
            return opened;
        } catch (DaemonException e) {
            opened.close();
            throw e;
        }
    }

    /**
     * Goes on with the volume of a record that an earlier daemon had open: at once, whether the server can be reached
     * or not. The session is the record's, so that the server knows it again.
     *
     * @param key of {@link #knownKey}
     */
    static VolumeStores resume(DaemonOptions options, DeviceRecord record, VolumeKey key, List<IoEventLoop> loops)
            throws DaemonException {
        AttachRequest request = record.getRequest();
        Welcome known = known(record);
        try {
            InetAddress address = InetAddress.getByAddress(
                    host(request.getServer()), record.getServerAddress().toByteArray());
            InetSocketAddress server = new InetSocketAddress(address, port(request.getServer()));
            requireSecure(options, server);
            // The lease is wanted back under its epoch: whoever has taken it since keeps it.
            ClientOptions client = clientOptions(options, record, false);
            VolumeStores resumed = new VolumeStores(
                    RemoteVolume.resume(server, options.links(), client, BlkLimits.QUEUE_ENTRIES, loops.get(0), known));
            for (int queue = 1; queue < loops.size(); queue++) {
                resumed.add(resumed.volume.resumeQueue(queue, loops.get(queue)));
            }
            try {
                resumed.encryptWith(key);
            } catch (DaemonException e) {
                resumed.leave();
                throw e;
            }
            return resumed;
        } catch (UnknownHostException | IllegalArgumentException e) {
            throw useless(e);
        }
    }

    private static Welcome known(DeviceRecord record) throws DaemonException {
        try {
            return Welcome.parseFrom(record.getWelcome());
        } catch (InvalidProtocolBufferException e) {
            throw useless(e);
        }
    }

    private static DaemonException useless(Exception e) {
        return new DaemonException(
                Kind.REFUSED,
                "its record cannot be used (" + e.getMessage() + "); farblock detach --force removes the device",
                e);
    }

    // Its requests wait in the ring until a daemon may serve it.
    private static void requireSecure(DaemonOptions options, InetSocketAddress server) throws DaemonException {
        String refusal = options.links().refusal(server);
        if (refusal != null) {
            throw new DaemonException(Kind.REFUSED, refusal);
        }
    }

    /** Looks at a volume before it is taken from somebody: who cannot use it must not do that. */
    private static void requireKey(
            DaemonOptions options, DeviceRecord record, InetSocketAddress server, IoEventLoop loop)
            throws DaemonException {
        AttachRequest request = record.getRequest();
        ClientOptions reader = new ClientOptions(
                        request.getVolume(), options.clientId(), options.clientName(), true, false)
                .publishedAs(request.getPublication())
                .encrypting();
        RemoteVolume seen = await(request, RemoteVolume.open(server, options.links(), reader, 1, loop));
        try {
            VolumeKey unused = newKey(options, record, seen.welcome());
        } finally {
            loop.execute(seen.store()::close);
        }
    }

    /** The key of a volume that is attached anew; null if it is not encrypted, and need not be. */
    private static VolumeKey newKey(DaemonOptions options, DeviceRecord record, Welcome welcome)
            throws DaemonException {
        if (options.encryptedOnly() && !welcome.hasEncryption()) {
            throw new DaemonException(
                    Kind.REFUSED,
                    "volume " + record.getRequest().getVolume()
                            + " is not encrypted, and this daemon was started with --encrypted-only");
        }
        try {
            return key(options, welcome);
        } catch (KeyException e) {
            throw new DaemonException(
                    Kind.REFUSED, "volume " + record.getRequest().getVolume() + " is encrypted: " + e.getMessage(), e);
        }
    }

    /**
     * The key of a volume that an earlier daemon had open; null if it is not encrypted.
     *
     * @throws KeyException if it is not here now; it may be later
     */
    static VolumeKey knownKey(DaemonOptions options, DeviceRecord record) throws DaemonException, KeyException {
        return key(options, known(record));
    }

    private static VolumeKey key(DaemonOptions options, Welcome welcome) throws KeyException {
        return welcome.hasEncryption() ? options.keys().find(welcome.getEncryption()) : null;
    }

    private void encryptWith(VolumeKey key) throws DaemonException {
        if (key == null) {
            return;
        }
        try {
            for (int queue = 0; queue < stores.size(); queue++) {
                blocks.set(queue, new EncryptedStore(stores.get(queue), key, WireBuffers.pool()));
            }
        } catch (IOException e) {
            throw new DaemonException(Kind.REFUSED, e.getMessage(), e);
        }
    }

    private static ClientOptions clientOptions(DaemonOptions options, DeviceRecord record, boolean takeOver) {
        ByteBuffer session = record.getSessionId().asReadOnlyByteBuffer();
        return new ClientOptions(
                        record.getRequest().getVolume(),
                        options.clientId(),
                        options.clientName(),
                        record.getRequest().getReadOnly(),
                        takeOver)
                .ofSession(new UUID(session.getLong(0), session.getLong(Long.BYTES)), record.getTakeovers())
                .keepAlive(options.keepAliveMillis())
                .failAfter(record.getRequest().getFailAfterMillis())
                .publishedAs(record.getRequest().getPublication())
                .encrypting();
    }

    private static InetSocketAddress address(String server) throws DaemonException {
        try {
            InetSocketAddress address = new InetSocketAddress(host(server), port(server));
            if (address.isUnresolved()) {
                throw new DaemonException(Kind.UNREACHABLE, "no address is known for the server " + server);
            }
            return address;
        } catch (IllegalArgumentException e) {
            throw new DaemonException(Kind.INVALID, "'" + server + "' is not a server's host:port", e);
        }
    }

    private static String host(String server) {
        int colon = server.lastIndexOf(':');
        if (colon < 1) {
            throw new IllegalArgumentException("no host:port: " + server);
        }
        return server.substring(0, colon);
    }

    private static int port(String server) {
        return Integer.parseInt(server.substring(server.lastIndexOf(':') + 1));
    }

    private static <T> T await(AttachRequest request, CompletableFuture<T> opening) throws DaemonException {
        try {
            return opening.get();
        } catch (ExecutionException e) {
            throw refusal(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DaemonException(Kind.REFUSED, "interrupted while " + request.getVolume() + " was opened", e);
        }
    }

    private static DaemonException refusal(Throwable cause) {
        if (!(cause instanceof OpenFailedException failed)) {
            throw new IllegalStateException("a volume could not be opened", cause);
        }
        Kind kind = switch (failed.code()) {
            case REFUSAL_CODE_NO_SUCH_VOLUME -> Kind.NOT_FOUND;
            case REFUSAL_CODE_UNSPECIFIED -> Kind.UNREACHABLE;
            default -> Kind.REFUSED;
        };
        return new DaemonException(kind, cause.getMessage(), cause);
    }

    /** What a device reads and writes, one for each queue. */
    List<BlockStore> blocks() {
        return blocks;
    }

    /** The server's address, 4 or 16 bytes. */
    ByteString address() {
        return ByteString.copyFrom(volume.address().getAddress().getAddress());
    }

    /** The terms under which the volume was opened. */
    Welcome welcome() {
        return volume.welcome();
    }

    /** The terms of now, with the size that the volume has; on the loop of queue 0. */
    Welcome currentWelcome() {
        return stores.get(0).welcome();
    }

    /** Tells of the server's terms, now and each time that they are received again; on the loop of queue 0. */
    void onWelcome(Consumer<Welcome> listener) {
        RemoteStore store = stores.get(0);
        store.loop().execute(() -> store.onWelcome(listener));
    }

    /** Whether requests can be answered: every queue has its connection. */
    boolean isConnected() {
        return stores.stream().allMatch(store -> store.status().state() == ClientSession.State.OPEN);
    }

    /** Whether every request fails from now on, because the volume was taken over or is another one. */
    boolean hasEnded() {
        return stores.stream().anyMatch(store -> store.status().state() == ClientSession.State.ENDED);
    }

    /** How much was acknowledged and is not known to be durable. */
    long unflushedBytes() {
        return volume.unflushedBytes();
    }

    /** What the connections wait for, in words; empty if nothing. */
    String inWords() {
        RemoteStatus worst = null;
        int held = 0;
        for (RemoteStore store : stores) {
            RemoteStatus status = store.status();
            if (status.state() != ClientSession.State.OPEN) {
                held += status.requestsHeld();
                worst = worst == null || status.seconds() > worst.seconds() ? status : worst;
            }
        }
        return worst == null ? "" : worst.holding(held).inWords();
    }

    /** Adds what the sessions have been through. */
    void addCounters(Device.Builder text) {
        for (RemoteStore store : stores) {
            SessionCounters counters = store.counters();
            text.setReconnects(text.getReconnects() + counters.reconnects())
                    .setReplayedRequests(text.getReplayedRequests() + counters.replayedRequests())
                    .setReplayedWrites(text.getReplayedWrites() + counters.replayedWrites())
                    .setFencedRequests(text.getFencedRequests() + counters.fencedRequests());
        }
        text.setUnflushedBytes(volume.unflushedBytes());
    }

    /** Makes durable what was acknowledged until now; done when it is. */
    Future<?> settle() {
        return stores.get(0).settle();
    }

    /** Closes every store without a goodbye: the server keeps the lease for the next daemon. Not called from a loop. */
    void leave() {
        for (RemoteStore store : stores) {
            store.loop().submit(store::leave).syncUninterruptibly();
        }
    }

    /** Closes every store, on its loop. */
    void close() {
        for (int queue = 0; queue < stores.size(); queue++) {
            stores.get(queue).loop().execute(blocks.get(queue)::close);
        }
        awaitClosed();
    }

    /** Waits until the server has let go of the volume, or has had time enough; the stores are being closed. */
    void awaitClosed() {
        for (RemoteStore store : stores) {
            if (!store.closed().awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("{} has not confirmed that the volume is closed", volume.address());
            }
        }
    }
}
