package io.farblock.cli.transfer;

import io.farblock.linux.Errno;
import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.ReadableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.LongConsumer;

/** A raw image that is read from its beginning to its end: a file, whose holes are left out, or a pipe. */
public final class ImageFile implements Closeable {
    private final ReadableByteChannel channel;
    private final FileChannel file;
    // For what Java has no word for: where the holes are.
    private final FileDescriptor descriptor;

    private ImageFile(ReadableByteChannel channel, FileChannel file, FileDescriptor descriptor) {
        this.channel = channel;
        this.file = file;
        this.descriptor = descriptor;
    }

    /** A file. */
    public static ImageFile open(Path path) throws IOException {
        FileChannel file = FileChannel.open(path, StandardOpenOption.READ);
        boolean hasHoles = Files.isRegularFile(path);
        return new ImageFile(file, file, hasHoles ? FileDescriptor.open(path.toString(), LibC.O_RDONLY) : null);
    }

    /** A pipe. */
    public static ImageFile of(InputStream stream) {
        return new ImageFile(Channels.newChannel(stream), null, null);
    }

    /**
     * Fills a volume of zeros with it; what is zeros is not sent.
     *
     * @param sizeBytes how much there must be, or an IOException says that it was cut short
     * @param blockBytes the volume's block size; the last block is filled up with zeros
     * @param progress is told how many bytes were done, again and again
     */
    public void fill(Transfer transfer, long sizeBytes, int blockBytes, LongConsumer progress) throws IOException {
        long at = 0;
        while (at < sizeBytes) {
            long data = Math.min(sizeBytes, nextData(at));
            progress.accept(data - at);
            at = data;
            if (at < sizeBytes) {
                Transfer.Slot slot = transfer.next();
                int length = (int) Math.min(Transfer.SLOT_BYTES, sizeBytes - at);
                read(slot.data().limit(length), at);
                send(transfer, slot, at, length, blockBytes);
                progress.accept(length);
                at += length;
            }
        }
        if (file == null && channel.read(ByteBuffer.allocate(1)) > 0) {
            throw new IOException("there is more than the " + sizeBytes + " bytes that were announced");
        }
    }

    /** How long a file is. */
    public long sizeBytes() throws IOException {
        return file.size();
    }

    private long nextData(long offset) throws IOException {
        if (descriptor == null) {
            return offset;
        }
        long data = LibC.lseek(descriptor.number(), offset, LibC.SEEK_DATA);
        // Beyond the last data there is none; where a file system knows no holes, all is data.
        long next = data >= 0 ? data - data % Transfer.SLOT_BYTES : noData(offset);
        return Math.max(offset, next);
    }

    private static long noData(long offset) {
        return LibC.lastError() == Errno.ENXIO ? Long.MAX_VALUE : offset;
    }

    private void read(ByteBuffer data, long offset) throws IOException {
        while (data.hasRemaining()) {
            int got = file == null ? channel.read(data) : file.read(data, offset + data.position());
            if (got < 0) {
                throw new IOException("it ends after " + (offset + data.position()) + " bytes: it was cut short");
            }
        }
    }

    private static void send(Transfer transfer, Transfer.Slot slot, long offset, int length, int blockBytes) {
        ByteBuffer data = slot.data();
        int whole = (length + blockBytes - 1) / blockBytes * blockBytes;
        data.limit(whole);
        for (int i = length; i < whole; i++) {
            data.put(i, (byte) 0);
        }
        int from = Zeros.before(data, 0, whole) / blockBytes * blockBytes;
        int to = (Zeros.after(data, from, whole) + blockBytes - 1) / blockBytes * blockBytes;
        if (from < to) {
            transfer.write(slot, offset + from, from, to - from);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
        if (descriptor != null) {
            descriptor.close();
        }
    }
}
