package io.farblock.device;

import io.farblock.virtio.DriverMemory;
import io.farblock.virtio.GuestDriver;
import io.farblock.virtio.SplitRingLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** One chain as a driver builds it: buffers, which of them are behind an indirect descriptor, and where all that is. */
final class DriverChain {
    static final class Buffer {
        long address;
        long length;
        boolean write;

        Buffer(long address, long length, boolean write) {
            this.address = address;
            this.length = length;
            this.write = write;
        }
    }

    final List<Buffer> buffers = new ArrayList<>();
    /** How many buffers come before the indirect descriptor; all of them if there is none. */
    int direct;

    long tableIova;
    int head;
    private final List<Integer> indexes = new ArrayList<>();

    void add(long address, long length, boolean write) {
        buffers.add(new Buffer(address, length, write));
    }

    int lastIndex() {
        return buffers.size() - 1;
    }

    boolean isIndirect() {
        return direct < buffers.size();
    }

    /** Where the descriptor of a buffer is. */
    long descriptorIova(GuestDriver driver, int buffer) {
        return buffer < direct
                ? driver.descriptorIova(indexes.get(buffer))
                : tableIova + (long) SplitRingLayout.DESCRIPTOR_BYTES * (buffer - direct);
    }

    /** Where the indirect descriptor is. */
    long indirectDescriptorIova(GuestDriver driver) {
        return driver.descriptorIova(indexes.get(direct));
    }

    /** The index by which the descriptor of a buffer is named in a next field. */
    int index(int buffer) {
        return buffer < direct ? indexes.get(buffer) : buffer - direct;
    }

    int tableEntries() {
        return buffers.size() - direct;
    }

    /** Writes the descriptors, in slots of the table chosen at random. */
    void write(DriverMemory memory, GuestDriver driver, Random random) {
        indexes.clear();
        int needed = isIndirect() ? direct + 1 : direct;
        while (indexes.size() < needed) {
            int index = random.nextInt(driver.ring().entries());
            if (!indexes.contains(index)) {
                indexes.add(index);
            }
        }
        head = indexes.get(0);
        for (int i = 0; i < buffers.size(); i++) {
            Buffer buffer = buffers.get(i);
            boolean last = i == lastIndex();
            boolean toIndirect = i == direct - 1 && isIndirect();
            int next = last ? random.nextInt(65536) : toIndirect ? indexes.get(direct) : index(i + 1);
            int flags = (last ? 0 : SplitRingLayout.FLAG_NEXT) | (buffer.write ? SplitRingLayout.FLAG_WRITE : 0);
            GuestDriver.descriptor(memory, descriptorIova(driver, i), buffer.address, buffer.length, flags, next);
        }
        if (isIndirect()) {
            int flags = SplitRingLayout.FLAG_INDIRECT | (random.nextBoolean() ? SplitRingLayout.FLAG_WRITE : 0);
            long bytes = (long) SplitRingLayout.DESCRIPTOR_BYTES * tableEntries();
            GuestDriver.descriptor(memory, indirectDescriptorIova(driver), tableIova, bytes, flags, 0);
        }
    }

    static void putFlags(DriverMemory memory, long descriptorIova, int flags) {
        memory.putU8(descriptorIova + 12, flags);
        memory.putU8(descriptorIova + 13, flags >>> 8);
    }

    static int flags(DriverMemory memory, long descriptorIova) {
        return memory.u8(descriptorIova + 12) | memory.u8(descriptorIova + 13) << 8;
    }

    static void putNext(DriverMemory memory, long descriptorIova, int next) {
        memory.putU8(descriptorIova + 14, next);
        memory.putU8(descriptorIova + 15, next >>> 8);
    }

    static void putLength(DriverMemory memory, long descriptorIova, long length) {
        for (int i = 0; i < 4; i++) {
            memory.putU8(descriptorIova + 8 + i, (int) (length >>> (8 * i)));
        }
    }

    static void putAddress(DriverMemory memory, long descriptorIova, long address) {
        for (int i = 0; i < 8; i++) {
            memory.putU8(descriptorIova + i, (int) (address >>> (8 * i)));
        }
    }
}
