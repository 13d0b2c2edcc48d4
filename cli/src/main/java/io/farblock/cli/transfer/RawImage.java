package io.farblock.cli.transfer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;

/**
 * A raw image that is written from its beginning to its end: a sparse file, or a pipe, to which holes go as zeros. Whole
 * after {@link #finish}.
 */
public final class RawImage {
    private static final ByteBuffer ZEROS =
            ByteBuffer.allocateDirect(Transfer.SLOT_BYTES).asReadOnlyBuffer();

    private final WritableByteChannel channel;
    private final FileChannel file;
    private long position;

    private RawImage(WritableByteChannel channel, FileChannel file) {
        this.channel = channel;
        this.file = file;
    }

    /** A file that is empty. */
    public static RawImage of(FileChannel file) {
        return new RawImage(file, file);
    }

    /** A pipe. */
    public static RawImage to(WritableByteChannel pipe) {
        return new RawImage(pipe, null);
    }

    /** Puts the next data; what is between the last and it is zeros. */
    public void write(long offset, ByteBuffer data) throws IOException {
        skipTo(offset);
        put(data);
    }

    private void put(ByteBuffer data) throws IOException {
        position += data.remaining();
        while (data.hasRemaining()) {
            if (channel.write(data) < 0) {
                throw new IOException("the output was closed");
            }
        }
    }

    private void skipTo(long offset) throws IOException {
        if (file != null) {
            file.position(offset);
            position = offset;
            return;
        }
        while (position < offset) {
            put(ZEROS.duplicate().limit((int) Math.min(ZEROS.capacity(), offset - position)));
        }
    }

    /** Ends it at this size. */
    public void finish(long sizeBytes) throws IOException {
        if (file == null) {
            skipTo(sizeBytes);
            return;
        }
        if (file.size() < sizeBytes) {
            // One byte makes it as long as it is to be; all before it stays a hole.
            file.write(ZEROS.duplicate().limit(1), sizeBytes - 1);
        }
    }
}
