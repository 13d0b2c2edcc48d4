package io.farblock.cli.transfer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Writes a stream of changes; see {@link StreamLayout}. It is whole once {@link #end} was called. */
public final class StreamWriter implements ExtentReader.Sink {
    private static final ByteBuffer NO_DATA = ByteBuffer.allocate(0);

    private final WritableByteChannel channel;
    private final ByteBuffer record = StreamLayout.allocate(StreamLayout.RECORD_BYTES);
    private long records;
    private long dataBytes;

    /** Begins it. */
    public StreamWriter(WritableByteChannel channel, StreamHeader header) throws IOException {
        this.channel = channel;
        put(header.encode());
    }

    @Override
    public void data(long offset, ByteBuffer data) throws IOException {
        dataBytes += data.remaining();
        record(StreamLayout.DATA, offset, data.remaining(), data);
    }

    @Override
    public void zeros(long offset, long lengthBytes) throws IOException {
        record(StreamLayout.ZEROS, offset, lengthBytes, NO_DATA.duplicate());
    }

    /** Everything was written. */
    public void end() throws IOException {
        record(StreamLayout.END, records, dataBytes, NO_DATA.duplicate());
    }

    private void record(int kind, long offset, long lengthBytes, ByteBuffer data) throws IOException {
        record.clear();
        record.putInt(StreamLayout.RECORD_KIND, kind)
                .putLong(StreamLayout.RECORD_OFFSET, offset)
                .putLong(StreamLayout.RECORD_LENGTH, lengthBytes);
        record.putInt(StreamLayout.RECORD_CRC, StreamLayout.recordCrc(record, data));
        put(record);
        put(data);
        records++;
    }

    private void put(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }
}
