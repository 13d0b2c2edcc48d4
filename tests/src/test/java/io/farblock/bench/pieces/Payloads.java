package io.farblock.bench.pieces;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** A payload's checksum and a copy of it, over so much memory that little of it is in the processor's cache. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Payloads {
    private static final int MEMORY_BYTES = 64 << 20;

    @Param({"4096", "131072"})
    private int lengthBytes;

    private final CRC32C crc = new CRC32C();
    private final ByteBuffer memory = ByteBuffer.allocateDirect(MEMORY_BYTES);
    private final ByteBuf from = Unpooled.wrappedBuffer(memory);
    private ByteBuffer copy;
    private int at;

    @Setup
    public void touch() {
        for (int i = 0; i < MEMORY_BYTES; i += 4096) {
            memory.put(i, (byte) i);
        }
        copy = ByteBuffer.allocateDirect(lengthBytes);
    }

    @Benchmark
    public long checksum() {
        crc.reset();
        memory.limit(at + lengthBytes).position(at);
        crc.update(memory);
        memory.clear();
        next();
        return crc.getValue();
    }

    @Benchmark
    public int copy() {
        copy.clear();
        from.getBytes(at, copy);
        next();
        return copy.position();
    }

    private void next() {
        at = (at + lengthBytes) & (MEMORY_BYTES - 1);
    }
}
