package io.farblock.linux;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Memory of ours for the arguments of system calls: zeroed, at a fixed address, freed with this object. */
public final class NativeMemory {
    private final Memory memory;

    /** Allocates and clears {@code lengthBytes} bytes. */
    public NativeMemory(long lengthBytes) {
        memory = new Memory(lengthBytes);
        memory.clear();
    }

    /**
     * Where it is. Valid for as long as this object is reachable: who passes it to a system call keeps the object in a
     * field, uses it afterwards, or ends with {@link java.lang.ref.Reference#reachabilityFence}.
     */
    public long address() {
        return Pointer.nativeValue(memory);
    }

    /** How much it is. */
    public long lengthBytes() {
        return memory.size();
    }

    /** All of it, in the byte order of the machine, which is what the kernel's ABI uses. Keeps the memory alive. */
    public ByteBuffer buffer() {
        return memory.getByteBuffer(0, memory.size()).order(ByteOrder.nativeOrder());
    }
}
