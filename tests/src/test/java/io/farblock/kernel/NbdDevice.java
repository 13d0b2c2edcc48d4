package io.farblock.kernel;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.NativeMemory;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A block device of this kernel over a {@link LosingDisk}, by the kernel's own NBD client (linux/nbd.h): a thread here
 * answers its requests from the other end of a socket pair.
 */
final class NbdDevice {
    private static final String NAME = "nbd0";
    private static final int SECTOR_BYTES = 512;
    // The calls that set a device up, all of which take a number and no pointer.
    private static final int SET_SOCK = 0xAB00;
    private static final int SET_BLOCK_BYTES = 0xAB01;
    private static final int DO_IT = 0xAB03;
    private static final int CLEAR_SOCK = 0xAB04;
    private static final int SET_BLOCKS = 0xAB07;
    private static final int SET_FLAGS = 0xAB0A;
    // It has flags, takes FLUSH and FUA.
    private static final int FLAGS = 1 | 1 << 2 | 1 << 3;
    // magic, flags, type, cookie, offset, length; and magic, error, cookie. All in network order.
    private static final int REQUEST_BYTES = 28;
    private static final int REQUEST_MAGIC = 0x25609513;
    private static final int REPLY_BYTES = 16;
    private static final int REPLY_MAGIC = 0x67446698;
    private static final int ERROR = 4;
    private static final int COOKIE = 8;
    private static final int FORCED = 1;
    private static final int READ = 0;
    private static final int WRITE = 1;
    private static final int FLUSH = 3;
    // <sys/socket.h>
    private static final int SOL_SOCKET = 1;
    private static final int SO_SNDBUFFORCE = 32;
    private static final int SEND_BUFFER_BYTES = 256 << 20;
    private static final int MAX_PAYLOAD_BYTES = 32 << 20;

    private enum State {
        SERVING,
        SILENT,
        FAILING
    }

    private final LosingDisk disk;
    private final FileDescriptor device;
    private final FileDescriptor kernelEnd;
    private final FileDescriptor ourEnd;
    private final NativeMemory memory = new NativeMemory(REQUEST_BYTES + MAX_PAYLOAD_BYTES);
    private final ByteBuffer bytes = memory.buffer().order(ByteOrder.BIG_ENDIAN);
    private final Thread client = new Thread(this::runClient, "nbd-client");
    private final Thread server = new Thread(this::serve, "nbd-server");
    // Those that wait while it is silent.
    private final List<Long> held = new ArrayList<>();
    private final NativeMemory refusal = new NativeMemory(REPLY_BYTES);
    private State state = State.SERVING;
    private int requestsLeft = Integer.MAX_VALUE;

    /** Makes the device; it is there when this returns. */
    NbdDevice(LosingDisk disk) throws IOException {
        this.disk = disk;
        device = FileDescriptor.open(path(), LibC.O_RDWR);
        NativeMemory pair = new NativeMemory(2 * Integer.BYTES);
        if (LibC.socketpair(LibC.AF_UNIX, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC, 0, pair.address()) < 0) {
            throw LinuxException.last("socketpair", path());
        }
        kernelEnd = new FileDescriptor(pair.buffer().getInt(0), "the kernel's end of " + path());
        ourEnd = new FileDescriptor(pair.buffer().getInt(Integer.BYTES), "our end of " + path());
        neverLetSendersWait();
        set(SET_BLOCK_BYTES, LosingDisk.BLOCK_BYTES);
        set(SET_BLOCKS, disk.blocks());
        set(SET_FLAGS, FLAGS);
        set(SET_SOCK, kernelEnd.number());
        server.start();
        client.start();
        Path size = Path.of("/sys/block", NAME, "size");
        while (Long.parseLong(Files.readString(size).strip())
                != (long) disk.blocks() * LosingDisk.BLOCK_BYTES / SECTOR_BYTES) {
            if (!client.isAlive()) {
                throw new IOException(path() + " could not be set up");
            }
            Thread.onSpinWait();
        }
    }

    static String path() {
        return "/dev/" + NAME;
    }

    // A process that is killed while the kernel sends a request for it stops in the middle of that, and waits for the
    // answer for ever (seen on Linux 7.2). With room for all that there is, nobody waits there.
    private void neverLetSendersWait() throws LinuxException {
        NativeMemory room = new NativeMemory(Integer.BYTES);
        room.buffer().putInt(0, SEND_BUFFER_BYTES);
        try {
            if (LibC.setsockopt(kernelEnd.number(), SOL_SOCKET, SO_SNDBUFFORCE, room.address(), Integer.BYTES) < 0) {
                throw LinuxException.last("setsockopt", path());
            }
        } finally {
            Reference.reachabilityFence(room);
        }
    }

    private void set(int request, long argument) throws LinuxException {
        if (LibC.ioctl(device.number(), request, argument) < 0) {
            throw LinuxException.last("ioctl " + Integer.toHexString(request), path());
        }
    }

    // The kernel borrows this thread for as long as there is a device. It returns with an error when the socket ends.
    private void runClient() {
        var unused = LibC.ioctl(device.number(), DO_IT, 0);
    }

    /** Answers so many requests more, and then none, as a disk without power: whoever waits for it goes on waiting. */
    synchronized void fallSilentAfter(int requests) {
        requestsLeft = requests;
    }

    synchronized boolean isSilent() {
        return state != State.SERVING;
    }

    /** Has all that waits for the device fail, and all that comes. */
    synchronized void fail() {
        state = State.FAILING;
        held.forEach(this::refuse);
        held.clear();
    }

    /** Takes the device away, once nobody has it open. */
    void remove() throws IOException, InterruptedException {
        var unused = LibC.shutdown(ourEnd.number(), LibC.SHUT_RDWR);
        client.join();
        server.join();
        ourEnd.close();
        set(CLEAR_SOCK, 0);
        device.close();
        kernelEnd.close();
    }

    // Until the socket ends.
    private void serve() {
        while (receive(0, REQUEST_BYTES)) {
            if (bytes.getInt(0) != REQUEST_MAGIC) {
                throw new IllegalStateException("not a request: " + Integer.toHexString(bytes.getInt(0)));
            }
            short type = bytes.getShort(6);
            int length = bytes.getInt(24);
            if (type != READ && type != WRITE && type != FLUSH) {
                return;
            }
            if (type == WRITE && !receive(REQUEST_BYTES, length)) {
                return;
            }
            take(type, length);
        }
    }

    private synchronized void take(short type, int length) {
        if (state == State.SERVING && requestsLeft-- <= 0) {
            state = State.SILENT;
        }
        switch (state) {
            case SERVING -> answer(type, length);
            case SILENT -> held.add(bytes.getLong(COOKIE));
            case FAILING -> refuse(bytes.getLong(COOKIE));
        }
    }

    private void answer(short type, int length) {
        boolean forced = (bytes.getShort(4) & FORCED) != 0;
        long offset = bytes.getLong(16);
        int payload = 0;
        switch (type) {
            case READ -> {
                payload = length;
                disk.read(offset, bytes.slice(REPLY_BYTES, length));
            }
            case WRITE -> disk.write(offset, bytes.slice(REQUEST_BYTES, length), forced);
            default -> disk.flush();
        }
        // The cookie is where the reply wants it already.
        bytes.putInt(0, REPLY_MAGIC).putInt(ERROR, 0);
        send(memory, REPLY_BYTES + payload);
    }

    private void refuse(long cookie) {
        refusal.buffer()
                .order(ByteOrder.BIG_ENDIAN)
                .putInt(0, REPLY_MAGIC)
                .putInt(ERROR, Errno.EIO)
                .putLong(COOKIE, cookie);
        send(refusal, REPLY_BYTES);
    }

    private boolean receive(int at, int length) {
        int done = 0;
        while (done < length) {
            long got = LibC.read(ourEnd.number(), memory.address() + at + done, length - done);
            if (got <= 0) {
                return false;
            }
            done += (int) got;
        }
        return true;
    }

    // Where nobody receives any more, nobody waits.
    private void send(NativeMemory from, int length) {
        int done = 0;
        long put = 1;
        while (done < length && put > 0) {
            put = LibC.write(ourEnd.number(), from.address() + done, length - done);
            done += (int) put;
        }
    }
}
