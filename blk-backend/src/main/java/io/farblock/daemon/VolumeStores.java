package io.farblock.daemon;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.DeviceRecord;
import io.farblock.client.OpenFailedException;
import io.farblock.client.RemoteStore;
import io.farblock.client.RemoteVolume;
import io.farblock.daemon.DaemonException.Kind;
import io.farblock.device.BlkLimits;
import io.farblock.session.ClientOptions;
import io.netty.channel.IoEventLoop;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The stores of one attached volume: one for each queue, on the queue's loop, all of one session with the server.
 *
 * <p>Opened from a thread that may wait, which is no event loop.
 */
final class VolumeStores {
    private static final int OPEN_SECONDS = 20;

    private static final int CLOSE_SECONDS = 3;
    private static final Logger LOG = LoggerFactory.getLogger(VolumeStores.class);

    private final RemoteVolume volume;
    private final List<RemoteStore> stores = new ArrayList<>();

    private VolumeStores(RemoteVolume volume) {
        this.volume = volume;
        stores.add(volume.store());
    }

    /** Opens the volume of a record; the session is the record's, so that the server knows it again after a restart. */
    static VolumeStores open(DaemonOptions options, DeviceRecord record, List<IoEventLoop> loops)
            throws DaemonException {
        AttachRequest request = record.getRequest();
        InetSocketAddress server = address(request.getServer());
        VolumeStores opened = new VolumeStores(await(
                request,
                RemoteVolume.open(server, clientOptions(options, record), BlkLimits.QUEUE_ENTRIES, loops.get(0))));
        try {
            for (int queue = 1; queue < loops.size(); queue++) {
                opened.stores.add(await(request, opened.volume.openQueue(queue, loops.get(queue))));
            }
            return opened;
        } catch (DaemonException e) {
            opened.close();
            throw e;
        }
    }

    private static ClientOptions clientOptions(DaemonOptions options, DeviceRecord record) {
        ByteBuffer session = record.getSessionId().asReadOnlyByteBuffer();
        return new ClientOptions(
                        record.getRequest().getVolume(),
                        options.clientId(),
                        options.clientName(),
                        record.getRequest().getReadOnly(),
                        false)
                .ofSession(new UUID(session.getLong(0), session.getLong(Long.BYTES)), record.getTakeovers());
    }

    private static InetSocketAddress address(String server) throws DaemonException {
        int colon = server.lastIndexOf(':');
        try {
            InetSocketAddress address =
                    new InetSocketAddress(server.substring(0, colon), Integer.parseInt(server.substring(colon + 1)));
            if (address.isUnresolved()) {
                throw new DaemonException(Kind.UNREACHABLE, "no address is known for the server " + server);
            }
            return address;
        } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
            throw new DaemonException(Kind.INVALID, "'" + server + "' is not a server's host:port", e);
        }
    }

    private static <T> T await(AttachRequest request, CompletableFuture<T> opening) throws DaemonException {
        try {
            return opening.get(OPEN_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw refusal(e.getCause());
        } catch (TimeoutException e) {
            throw new DaemonException(
                    Kind.UNREACHABLE, "no answer from " + request.getServer() + " within " + OPEN_SECONDS + " s", e);
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

    List<RemoteStore> stores() {
        return stores;
    }

    /** Closes every store, on its loop. */
    void close() {
        for (RemoteStore store : stores) {
            store.loop().execute(store::close);
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
