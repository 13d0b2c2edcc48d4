package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.mutation.SourceChange;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The copies that our own code makes of a payload, counted in classes that are compiled to count them. What the kernel
 * copies, {@code tests/bench/run calls} counts.
 */
class PayloadCopiesTest {
    private static final int REQUESTS = 2_000;
    private static final String COUNT = "io.farblock.bench.CopiedBytes.add(length); ";
    private static final Path SESSION = Path.of("../block-store/src/main/java/io/farblock/session");
    private static final List<String> LOADED_ANEW = List.of(
            "io.farblock.block.",
            "io.farblock.client.",
            "io.farblock.daemon.",
            "io.farblock.device.",
            "io.farblock.memory.",
            "io.farblock.meter.",
            "io.farblock.metrics.",
            "io.farblock.server.",
            "io.farblock.session.",
            "io.farblock.vduse.",
            "io.farblock.virtio.",
            "io.farblock.wire.");

    @TempDir
    Path classes;

    @BeforeEach
    void countWhereverPayloadsAreCopied() throws IOException {
        String gather = "            gather(position, target, targetOffset, length);";
        String scatter = "            scatter(position, source, sourceOffset, length);";
        SourceChange.of(
                        Path.of("../block-store/src/main/java/io/farblock/block/SegmentList.java"),
                        gather,
                        COUNT + gather)
                .and(scatter, COUNT + scatter)
                .compileInto(classes);
        String store = "receiving.buffer.writeBytes(bytes, at, length);";
        SourceChange.of(SESSION.resolve("ServerRequests.java"), store, COUNT + store)
                .compileInto(classes);
    }

    @Test
    void areAsFewAsTheyCanBe() throws Exception {
        assertThat(verdict()).isNull();
    }

    @Test
    void areMoreWhereLargePayloadsAreNotReceivedInPlace() throws Exception {
        SourceChange.of(
                        SESSION.resolve("ReplyPayload.java"),
                        "length >= MIN_PIECE_BYTES && target",
                        "length < 0 && target")
                .compileInto(classes);

        assertThat(verdict()).hasMessageContaining("write=false, lengthBytes=131072");
    }

    private Throwable verdict() throws Exception {
        return SourceChange.verdict(classes, LOADED_ANEW, PayloadCopies.class, 0, REQUESTS);
    }
}
