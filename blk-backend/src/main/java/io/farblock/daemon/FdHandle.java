package io.farblock.daemon;

import io.farblock.linux.FileDescriptor;
import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.util.concurrent.Future;

/**
 * Any descriptor on a Netty event loop: calls back on the loop each time it becomes readable.
 *
 * <p>Edge-triggered, so that an eventfd need not be read: a kick costs no system call. The descriptor stays its
 * owner's, who closes it after {@link #cancel}.
 */
final class FdHandle implements EpollIoHandle {
    private final io.netty.channel.unix.FileDescriptor descriptor;
    private final Runnable onReadable;
    private IoRegistration registration;

    private FdHandle(int fd, Runnable onReadable) {
        // Only wraps the number; FileDescriptor.from(path) would truncate a file.
        this.descriptor = new io.netty.channel.unix.FileDescriptor(fd);
        this.onReadable = onReadable;
    }

    /** Begins to watch. Called on the loop. */
    static FdHandle watch(IoEventLoop loop, FileDescriptor fd, Runnable onReadable) {
        FdHandle handle = new FdHandle(fd.number(), onReadable);
        Future<IoRegistration> registered = loop.register(handle);
        if (!registered.isSuccess()) {
            throw new IllegalStateException("cannot watch " + fd.subject(), registered.cause());
        }
        handle.registration = registered.getNow();
        handle.registration.submit(EpollIoOps.EPOLLIN.with(EpollIoOps.EPOLLET));
        return handle;
    }

    /** Stops watching. Called on the loop. */
    void cancel() {
        registration.cancel();
    }

    @Override
    public io.netty.channel.unix.FileDescriptor fd() {
        return descriptor;
    }

    @Override
    public void handle(IoRegistration from, IoEvent event) {
        onReadable.run();
    }

    @Override
    public void close() {
        // The descriptor belongs to whoever asked for it to be watched.
    }
}
