package io.farblock.bench.pieces;

import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.RequestLayout;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** A request's header, made and read, with its checksum both times. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Frames {
    private static final int MAX_PAYLOAD_BYTES = 1 << 20;

    private final CRC32C crc = new CRC32C();
    private final ByteBuf bytes = Unpooled.directBuffer(4096);
    private int head;

    /** A frame to read. */
    public Frames() {
        encode();
    }

    /** The header of a read of 4 KiB. */
    @Benchmark
    public final int encode() {
        head = (head + 1) & 0xFF;
        RequestLayout.begin(bytes, 0, Opcode.READ, 0);
        FrameLayout.putTag(bytes, 0, 1, 0, head, 0);
        RequestLayout.putRange(bytes, 0, 1, head * 4096L, 4096);
        FrameLayout.putPayload(bytes, 0, 0);
        FrameLayout.seal(bytes, 0, crc);
        return head;
    }

    /** All that is checked of it, and what is taken out. */
    @Benchmark
    public long decode() {
        if (FrameLayout.invalid(bytes, 0, FrameLayout.MAGIC_TO_SERVER, crc) != null
                || RequestLayout.invalid(bytes, 0, MAX_PAYLOAD_BYTES) != null) {
            throw new IllegalStateException("a frame that is not valid");
        }
        return FrameLayout.head(bytes, 0)
                + RequestLayout.epoch(bytes, 0)
                + RequestLayout.offsetBytes(bytes, 0)
                + RequestLayout.lengthBytes(bytes, 0);
    }
}
