package io.farblock.client;

import io.farblock.block.StoreInfo;
import io.farblock.session.ClientObserver;
import io.farblock.session.ClientOptions;
import io.farblock.tls.LinkSecurity;
import io.farblock.wire.proto.RefusalCode;
import io.farblock.wire.proto.Welcome;
import io.netty.channel.IoEventLoop;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * A volume on another machine, opened under one lease: queue 0, and from it the further queues, each on its own loop.
 *
 * <p>Immutable, for any thread. The stores belong to whoever opened them; closing the last one ends the session with
 * the server.
 */
public final class RemoteVolume {
    /** Longer than a connection may take, with time for the server to fence an older session. */
    private static final int OPEN_SECONDS = 20;

    private final Attachment attachment;
    private final RemoteStore firstStore;
    private final Welcome welcome;
    private final StoreInfo info;

    private RemoteVolume(Attachment attachment, RemoteStore firstStore) {
        this.attachment = attachment;
        this.firstStore = firstStore;
        welcome = firstStore.welcome();
        info = firstStore.info();
    }

    /**
     * Opens a volume over a plain connection within this machine; otherwise as below.
     */
    public static CompletableFuture<RemoteVolume> open(
            InetSocketAddress address, ClientOptions options, int heads, IoEventLoop loop) {
        return open(address, LinkSecurity.LOOPBACK_ONLY, options, heads, loop);
    }

    /**
     * Opens a volume, with queue 0 on {@code loop}. Fails with an {@link OpenFailedException} if the server cannot be
     * reached in two attempts, must not be reached by such a link, refuses, or has not answered after {@value
     * #OPEN_SECONDS} s; once it is open, a lost connection is a pause and no failure.
     *
     * @param heads how many requests a queue may have at once: their indexes are below this
     */
    public static CompletableFuture<RemoteVolume> open(
            InetSocketAddress address, LinkSecurity links, ClientOptions options, int heads, IoEventLoop loop) {
        String refusal = links.refusal(address);
        if (refusal != null) {
            return CompletableFuture.failedFuture(
                    new OpenFailedException(refusal, RefusalCode.REFUSAL_CODE_NOT_ALLOWED));
        }
        Attachment attachment = new Attachment(address, links, options, heads);
        return openStore(attachment, 0, loop, null).thenApply(store -> new RemoteVolume(attachment, store));
    }

    /** Opens a further queue, 1 to 65,535, under the same lease. To be called once for each queue. */
    public CompletableFuture<RemoteStore> openQueue(int queue, IoEventLoop loop) {
        return openStore(attachment, queue, loop, welcome);
    }

    /**
     * Goes on with a volume that an earlier process had open, without asking the server first: queue 0 takes requests at
     * once, under the terms of then, and holds them until there is a connection. If the server refuses to go on,
     * because the volume was taken over or is another one now, everything fails and the log says why.
     *
     * @param known the last welcome of the earlier process
     * @throws IllegalArgumentException if that is none, or if the server must not be reached by such a link
     */
    public static RemoteVolume resume(
            InetSocketAddress address,
            LinkSecurity links,
            ClientOptions options,
            int heads,
            IoEventLoop loop,
            Welcome known) {
        String refusal = links.refusal(address);
        if (refusal != null) {
            throw new IllegalArgumentException(refusal);
        }
        Attachment attachment = new Attachment(address, links, options, heads);
        return new RemoteVolume(attachment, resumeStore(attachment, 0, loop, known));
    }

    /** A further queue, 1 to 65,535, in the same way. To be called once for each queue. */
    public RemoteStore resumeQueue(int queue, IoEventLoop loop) {
        return resumeStore(attachment, queue, loop, welcome);
    }

    /** Queue 0. */
    public RemoteStore store() {
        return firstStore;
    }

    /** How many bytes were acknowledged, are not flushed yet, and are kept here in case the server's host loses them. */
    public long unflushedBytes() {
        return attachment.unflushed().keptBytes();
    }

    /** What the volume was when it was opened. */
    public StoreInfo info() {
        return info;
    }

    /** The terms under which it was opened. */
    public Welcome welcome() {
        return welcome;
    }

    /** What the server calls itself. */
    public String serverName() {
        return welcome.getServerName();
    }

    /** Where the server is. */
    public InetSocketAddress address() {
        return attachment.address();
    }

    private static CompletableFuture<RemoteStore> openStore(
            Attachment attachment, int queue, IoEventLoop loop, Welcome known) {
        Opening opening = new Opening(attachment);
        loop.execute(() -> {
            opening.store = new RemoteStore(attachment, queue, loop, known, opening);
            opening.store.connect();
            opening.limit = loop.schedule(opening::tooLate, OPEN_SECONDS, TimeUnit.SECONDS);
        });
        return opening.result;
    }

    private static RemoteStore resumeStore(Attachment attachment, int queue, IoEventLoop loop, Welcome known) {
        Opening opening = new Opening(attachment);
        RemoteStore store = new RemoteStore(attachment, queue, loop, known, opening);
        opening.store = store;
        opening.result.complete(store);
        loop.execute(store::connect);
        return store;
    }

    /** Tells the opener how it went, once, and afterwards the log. */
    private static final class Opening implements ClientObserver {
        private final CompletableFuture<RemoteStore> result = new CompletableFuture<>();
        private final InetSocketAddress address;
        private final ConnectionLog log;
        private RemoteStore store;
        private Future<?> limit;
        private boolean triedAgain;
        private boolean away;

        Opening(Attachment attachment) {
            address = attachment.address();
            log = attachment.log();
        }

        @Override
        public void opened(Welcome welcome, int replayed) {
            if (away) {
                away = false;
                log.back(replayed);
            }
            store.welcomed(welcome);
            if (!result.isDone()) {
                limit.cancel(false);
                result.complete(store);
            }
        }

        private void tooLate() {
            fail(
                    "no answer from " + address.getHostString() + ":" + address.getPort() + " within " + OPEN_SECONDS
                            + " s",
                    RefusalCode.REFUSAL_CODE_UNSPECIFIED);
        }

        @Override
        public void disconnected(String reason) {
            if (!result.isDone() && !triedAgain) {
                // One connection may end for no reason that lasts: a server that starts, stops or has much to do.
                triedAgain = true;
            } else if (!result.isDone()) {
                fail(reason, RefusalCode.REFUSAL_CODE_UNSPECIFIED);
            } else if (!away) {
                away = true;
                log.lost(reason);
            }
        }

        @Override
        public void gaveUpWaiting(long millis) {
            log.gaveUpWaiting(millis);
        }

        @Override
        public void refused(RefusalCode code, String message, String holder) {
            if (result.isDone()) {
                log.ended(message);
            } else {
                fail(message, code);
            }
        }

        private void fail(String reason, RefusalCode code) {
            limit.cancel(false);
            store.close();
            result.completeExceptionally(new OpenFailedException(reason, code));
        }

        @Override
        public void unflushedWritesReplayed() {
            log.writesReplayed();
        }

        @Override
        public void unflushedWritesInDoubt() {
            log.writesInDoubt();
        }
    }
}
