package io.farblock.cli.transfer;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.function.LongConsumer;

/** Reads a stream of changes, which may come from anywhere, and does them; see {@link StreamLayout}. */
public final class StreamReader {
    // What a server takes in one request for zeros.
    private static final long MAX_ZERO_BYTES = 1L << 30;

    private final ReadableByteChannel channel;
    private final StreamHeader header;
    private final ByteBuffer record = StreamLayout.allocate(StreamLayout.RECORD_BYTES);
    private long records;
    private long dataBytes;

    /** Reads the header. */
    public StreamReader(ReadableByteChannel channel) throws IOException {
        this.channel = channel;
        ByteBuffer bytes = StreamLayout.allocate(StreamLayout.HEADER_BYTES);
        fill(bytes);
        header = StreamHeader.decode(bytes);
    }

    /** What it says of itself. */
    public StreamHeader header() {
        return header;
    }

    /**
     * Makes all changes to a volume of the header's size. An IOException says what is wrong with the stream; what came
     * before that is done.
     */
    public void apply(Transfer transfer, LongConsumer progress) throws IOException {
        while (true) {
            record.clear();
            fill(record);
            long offset = record.getLong(StreamLayout.RECORD_OFFSET);
            long lengthBytes = record.getLong(StreamLayout.RECORD_LENGTH);
            switch (record.getInt(StreamLayout.RECORD_KIND)) {
                case StreamLayout.DATA -> data(transfer, offset, lengthBytes);
                case StreamLayout.ZEROS -> zeros(transfer, offset, lengthBytes);
                case StreamLayout.END -> {
                    check(ByteBuffer.allocate(0));
                    if (offset != records || lengthBytes != dataBytes) {
                        throw new IOException("parts of it are missing: its end knows of " + offset + " records, and "
                                + records + " were there");
                    }
                    return;
                }
                default -> throw new IOException("record " + records + " is of no known kind");
            }
            records++;
            progress.accept(lengthBytes);
        }
    }

    private void data(Transfer transfer, long offset, long lengthBytes) throws IOException {
        checkRange(offset, lengthBytes, Transfer.SLOT_BYTES);
        Transfer.Slot slot = transfer.next();
        fill(slot.data().limit((int) lengthBytes));
        check(slot.data().flip());
        dataBytes += lengthBytes;
        transfer.write(slot, offset, 0, (int) lengthBytes);
    }

    private void zeros(Transfer transfer, long offset, long lengthBytes) throws IOException {
        checkRange(offset, lengthBytes, header.sizeBytes());
        check(ByteBuffer.allocate(0));
        for (long at = offset; at < offset + lengthBytes; at += MAX_ZERO_BYTES) {
            transfer.zero(transfer.next(), at, Math.min(MAX_ZERO_BYTES, offset + lengthBytes - at));
        }
    }

    private void checkRange(long offset, long lengthBytes, long mostBytes) throws IOException {
        if (lengthBytes <= 0 || lengthBytes > mostBytes || offset < 0 || offset > header.sizeBytes() - lengthBytes) {
            throw new IOException(
                    "record " + records + " is about " + lengthBytes + " bytes at " + offset + ", which cannot be");
        }
    }

    private void check(ByteBuffer data) throws IOException {
        if (record.getInt(StreamLayout.RECORD_CRC) != StreamLayout.recordCrc(record, data)) {
            throw new IOException("record " + records + " is damaged: the checksum is wrong");
        }
    }

    private void fill(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            if (channel.read(bytes) < 0) {
                throw new EOFException("it was cut short");
            }
        }
    }
}
