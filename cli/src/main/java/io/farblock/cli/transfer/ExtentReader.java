package io.farblock.cli.transfer;

import io.farblock.api.admin.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.LongConsumer;

/** Reads extents of a volume, many requests ahead, and gives the data on in order. */
public final class ExtentReader {
    /** Takes data in order of offsets. */
    public interface Sink {
        /** Takes what counts of the buffer, position to limit. */
        void data(long offset, ByteBuffer data) throws IOException;

        /** Takes a range that reads as zeros. */
        void zeros(long offset, long lengthBytes) throws IOException;
    }

    // Whole blocks, whatever the volume's block size.
    private static final int IN_BLOCK = 4095;

    private final Transfer transfer;
    private final Sink sink;
    private final LongConsumer progress;
    private final Deque<Transfer.Slot> underWay = new ArrayDeque<>();

    /** @param progress is told how many bytes were done, again and again */
    public ExtentReader(Transfer transfer, Sink sink, LongConsumer progress) {
        this.transfer = transfer;
        this.sink = sink;
        this.progress = progress;
    }

    /** Reads all of them. */
    public void run(Iterator<Extent> extents) throws IOException {
        while (extents.hasNext()) {
            Extent extent = extents.next();
            if (extent.getZeros()) {
                drain(0);
                sink.zeros(extent.getOffsetBytes(), extent.getLengthBytes());
                progress.accept(extent.getLengthBytes());
            } else {
                read(extent);
            }
        }
        drain(0);
    }

    private void read(Extent extent) throws IOException {
        long end = extent.getOffsetBytes() + extent.getLengthBytes();
        for (long at = extent.getOffsetBytes(); at < end; at += Transfer.SLOT_BYTES) {
            drain(Transfer.DEPTH - 1);
            Transfer.Slot slot = transfer.next();
            transfer.read(slot, at, (int) Math.min(Transfer.SLOT_BYTES, end - at));
            underWay.add(slot);
        }
    }

    private void drain(int left) throws IOException {
        while (underWay.size() > left) {
            Transfer.Slot slot = underWay.poll();
            transfer.await(slot);
            give(slot);
            progress.accept(slot.lengthBytes());
        }
    }

    // An extent may be zeros in part, or wholly: a hole is better than they are.
    private void give(Transfer.Slot slot) throws IOException {
        int from = Zeros.before(slot.data(), 0, slot.lengthBytes()) & ~IN_BLOCK;
        int to = Zeros.after(slot.data(), from, slot.lengthBytes());
        to = Math.min(slot.lengthBytes(), to + IN_BLOCK & ~IN_BLOCK);
        if (from > 0) {
            sink.zeros(slot.offset(), from);
        }
        if (from < to) {
            sink.data(slot.offset() + from, slot.data().limit(to).position(from));
        }
        if (to < slot.lengthBytes() && from < to) {
            sink.zeros(slot.offset() + to, slot.lengthBytes() - to);
        }
    }
}
