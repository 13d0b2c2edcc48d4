package io.farblock.encryption;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.block.BlockStore;
import io.farblock.block.MemoryHold;
import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;

/**
 * A store whose blocks are encrypted in the store below: what is written is encrypted on its way down, what is read is
 * decrypted on its way up.
 *
 * <p>A block of zeros below is a block of zeros here: what was never written or was discarded stays a hole, and may be
 * known as one by whoever has the store below. No block is encrypted to zeros but by a chance of one in 2^4096.
 *
 * <p>Payloads are worked on in memory of this store alone: a guest's is to stay as it is, and it may be taken away, which
 * the library would not survive.
 */
public final class EncryptedStore implements BlockStore {
    /**
     * What the requests of a queue may take together; one alone always has its memory. A device of four queues then has
     * its part of the half that a daemon keeps for what is in flight, and a queue twice what 1 ms of 1 GB/s needs.
     */
    static final int MAX_MEMORY_BYTES = 2 << 20;

    private final BlockStore below;
    private final ByteBufAllocator allocator;
    // As it was in the beginning: the ciphers work on blocks of that size.
    private final int blockSizeBytes;
    private final BlockCipher encryption;
    private final BlockCipher decryption;
    private final Deque<BlockRequest> waiting = new ArrayDeque<>();
    private Slot[] slots = new Slot[0];
    private long memoryBytes;

    /**
     * A store over another one, which belongs to it from now on.
     *
     * @throws IOException if this machine cannot encrypt: the message says what is missing
     */
    public EncryptedStore(BlockStore below, VolumeKey key, ByteBufAllocator allocator) throws IOException {
        this.below = below;
        this.allocator = allocator;
        blockSizeBytes = below.info().blockSizeBytes();
        encryption = BlockCipher.of(key, true, blockSizeBytes);
        decryption = BlockCipher.of(key, false, blockSizeBytes);
    }

    /** A request of ours for one of the owner's. */
    private final class Slot {
        private final BlockRequest ours;
        private BlockRequest theirs;
        private ByteBuf memory;

        Slot(int index) {
            ours = new BlockRequest(index, this::completed);
        }

        void begin(BlockRequest request, ByteBuf itsMemory) {
            theirs = request;
            memory = itsMemory;
            int lengthBytes = memory.capacity();
            ByteBuffer bytes = memory.internalNioBuffer(0, lengthBytes);
            ours.prepare(request.operation()).forceUnitAccess(request.forceUnitAccess());
            if (request.operation() == BlockOperation.WRITE) {
                request.payload().copyTo(0, bytes, bytes.position(), lengthBytes);
                if (request.payload().isLost()) {
                    // Without a range it is refused below, in its time: nothing of it may be written.
                    below.submit(ours);
                    return;
                }
                encryption.apply(memory.memoryAddress(), firstBlock(), lengthBytes);
            }
            ours.addRange(request.offset(), lengthBytes);
            ours.payload().add(bytes, bytes.position(), lengthBytes);
            ours.payload().heldBy(new Hold(memory));
            ours.payload().stable(true);
            below.submit(ours);
        }

        private long firstBlock() {
            return theirs.offset() / blockSizeBytes;
        }

        private void completed(BlockRequest request, BlockStatus status) {
            BlockRequest done = theirs;
            if (done.operation() == BlockOperation.READ && status == BlockStatus.OK) {
                ByteBuffer bytes = request.payload().buffer(0);
                decrypt(bytes, request.payload().offset(0));
                done.payload().copyFrom(0, bytes, request.payload().offset(0), memory.capacity());
            }
            memoryBytes -= memory.capacity();
            memory.release();
            memory = null;
            theirs = null;
            done.startedAt(request.startedNanos()).complete(status);
            beginWaiting();
        }

        private void decrypt(ByteBuffer bytes, int offset) {
            long block = firstBlock();
            for (int at = 0; at < memory.capacity(); at += blockSizeBytes) {
                if (!isZero(bytes, offset + at, blockSizeBytes)) {
                    decryption.applyToBlock(memory.memoryAddress() + at, block);
                }
                block++;
            }
        }
    }

    /** Keeps the memory of a write while a connection still sends it. */
    private record Hold(ByteBuf memory) implements MemoryHold {
        @Override
        public void retain() {
            ByteBuf unused = memory.retain();
        }

        @Override
        public void release() {
            memory.release();
        }
    }

    private static boolean isZero(ByteBuffer bytes, int offset, int lengthBytes) {
        for (int at = 0; at < lengthBytes; at += Long.BYTES) {
            if (bytes.getLong(offset + at) != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public StoreInfo info() {
        return below.info();
    }

    @Override
    public void submit(BlockRequest request) {
        boolean hasPayload = request.operation() == BlockOperation.READ || request.operation() == BlockOperation.WRITE;
        if (!hasPayload || below.info().refusal(request) != null || !isOfWholeBlocks(request)) {
            below.submit(request);
            return;
        }
        request.submitted();
        waiting.add(request);
        beginWaiting();
    }

    // The store below says the same; but what the ciphers do to memory is not left to it.
    private boolean isOfWholeBlocks(BlockRequest request) {
        return request.offset() % blockSizeBytes == 0 && request.length() % blockSizeBytes == 0;
    }

    private void beginWaiting() {
        while (!waiting.isEmpty() && hasMemoryFor(waiting.peek())) {
            BlockRequest request = waiting.peek();
            ByteBuf memory = memoryFor((int) request.length());
            if (memory == null) {
                return;
            }
            waiting.remove();
            memoryBytes += request.length();
            slot(request.index()).begin(request, memory);
        }
    }

    private boolean hasMemoryFor(BlockRequest request) {
        return memoryBytes == 0 || memoryBytes + request.length() <= MAX_MEMORY_BYTES;
    }

    /** Null if the process has none left: what is in flight here begins the rest as it ends. */
    private ByteBuf memoryFor(int lengthBytes) {
        try {
            return allocator.directBuffer(lengthBytes, lengthBytes).writerIndex(lengthBytes);
        } catch (OutOfMemoryError e) {
            if (memoryBytes > 0) {
                return null;
            }
            // Nobody would begin it.
            waiting.remove().complete(BlockStatus.IO_ERROR);
            throw e;
        }
    }

    private Slot slot(int index) {
        if (index >= slots.length) {
            slots = Arrays.copyOf(slots, Math.max(2 * slots.length, index + 1));
        }
        if (slots[index] == null) {
            slots[index] = new Slot(index);
        }
        return slots[index];
    }

    @Override
    public void drain(Runnable drained) {
        below.drain(() -> {
            // What waits for memory is in flight too, and follows as soon as something below ends.
            if (waiting.isEmpty()) {
                drained.run();
            } else {
                drain(drained);
            }
        });
    }

    @Override
    public void cancel(BlockStatus status) {
        endWaiting(status);
        below.cancel(status);
    }

    private void endWaiting(BlockStatus status) {
        for (int left = waiting.size(); left > 0; left--) {
            waiting.remove().complete(status);
        }
    }

    @Override
    public String waitsFor() {
        return below.waitsFor();
    }

    @Override
    public void listen(StoreListener listener) {
        below.listen(listener);
    }

    @Override
    public void close() {
        endWaiting(BlockStatus.IO_ERROR);
        below.close();
        encryption.close();
        decryption.close();
    }
}
