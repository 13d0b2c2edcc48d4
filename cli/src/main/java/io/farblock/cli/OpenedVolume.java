package io.farblock.cli;

import com.google.protobuf.ByteString;
import io.farblock.block.BlockStore;
import io.farblock.cli.transfer.Transfer;
import io.farblock.client.OpenFailedException;
import io.farblock.client.RemoteStore;
import io.farblock.client.RemoteVolume;
import io.farblock.encryption.EncryptedStore;
import io.farblock.encryption.VolumeKey;
import io.farblock.session.ClientOptions;
import io.farblock.tls.LinkSecurity;
import io.farblock.wire.WireBuffers;
import io.farblock.wire.proto.Welcome;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** A volume that one command has open over the data protocol. */
final class OpenedVolume implements AutoCloseable {
    private static final int CLOSE_SECONDS = 3;

    private final MultiThreadIoEventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final RemoteStore store;
    private final BlockStore blocks;

    /** Opens it; for writing, which needs its lease, or to read only. */
    OpenedVolume(String server, LinkSecurity links, KeyOptions keys, String volume, UUID clientId, boolean readOnly) {
        this(server, links, keys, null, volume, clientId, readOnly);
    }

    /**
     * The same.
     *
     * @param key what it has to be encrypted with, whatever the server says; null if it may be plain
     */
    OpenedVolume(
            String server,
            LinkSecurity links,
            KeyOptions keys,
            String key,
            String volume,
            UUID clientId,
            boolean readOnly) {
        ClientOptions options = new ClientOptions(volume, clientId, "farblock volume", readOnly, false).encrypting();
        try {
            RemoteVolume opened = RemoteVolume.open(
                            Endpoint.parse(server), links, options, Transfer.DEPTH, loops.next())
                    .get();
            store = opened.store();
            blocks = blocks(opened.welcome(), keys, key);
        } catch (ExecutionException e) {
            endLoops();
            throw failure(e.getCause());
        } catch (InterruptedException e) {
            endLoops();
            Thread.currentThread().interrupt();
            throw new CommandException(ExitCode.FAILED, "interrupted", e);
        } catch (CommandException e) {
            endLoops();
            throw e;
        }
    }

    private BlockStore blocks(Welcome welcome, KeyOptions keys, String wanted) {
        if (wanted != null && !welcome.getEncryption().getKey().equals(wanted)) {
            close(store);
            throw new CommandException(
                    ExitCode.REFUSED,
                    "the volume is not encrypted with the key '" + wanted + "', so nothing was written to it");
        }
        if (!welcome.hasEncryption()) {
            return store;
        }
        try {
            VolumeKey found = keys.source().find(welcome.getEncryption());
            return new EncryptedStore(store, found, WireBuffers.pool());
        } catch (IOException e) {
            close(store);
            throw new CommandException(ExitCode.FAILED, "the volume is encrypted: " + e.getMessage(), e);
        }
    }

    private static CommandException failure(Throwable cause) {
        int code = ExitCode.FAILED;
        if (cause instanceof OpenFailedException refused) {
            int refusal = refused.isNoSuchVolume() ? ExitCode.NOT_FOUND : ExitCode.REFUSED;
            code = refused.isUnreachable() ? ExitCode.UNREACHABLE : refusal;
        }
        return new CommandException(code, cause.getMessage(), cause);
    }

    /** How the server is told of a client. */
    static ByteString idBytes(UUID clientId) {
        return ByteString.copyFrom(ByteBuffer.allocate(2 * Long.BYTES)
                .putLong(clientId.getMostSignificantBits())
                .putLong(clientId.getLeastSignificantBits())
                .flip());
    }

    /** Requests to it, many at once. */
    Transfer transfer() {
        return new Transfer(blocks, store.loop());
    }

    @Override
    public void close() {
        close(blocks);
        endLoops();
    }

    private void close(BlockStore which) {
        store.loop().execute(which::close);
        store.closed().awaitUninterruptibly(CLOSE_SECONDS, TimeUnit.SECONDS);
    }

    private void endLoops() {
        loops.shutdownGracefully(0, CLOSE_SECONDS, TimeUnit.SECONDS).syncUninterruptibly();
    }
}
