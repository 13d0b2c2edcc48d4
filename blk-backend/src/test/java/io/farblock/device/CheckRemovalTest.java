package io.farblock.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.mutation.SourceChange;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Removes one check at a time from the sources, compiles them, and expects the hostile driver to find out.
 */
@Tag("tests-of-tests")
class CheckRemovalTest {
    private static final int HITS_PER_CHECK = 4;
    private static final long SEED = 4711;
    private static final List<String> LOADED_ANEW =
            List.of("io.farblock.device.", "io.farblock.virtio.", "io.farblock.memory.");

    @TempDir
    Path classes;

    static List<SourceChange> removals() {
        List<SourceChange> all = new ArrayList<>();
        in(all, virtio("VirtQueueAddresses"))
                .without("entries <= 0 ||", "")
                .without("entries > maxEntries ||", "")
                .without("|| Integer.bitCount(entries) != 1", "")
                .without("descriptorIova % 16 != 0 ||", "")
                .without("availIova % 2 != 0 ||", "")
                .without("|| usedIova % 4 != 0", "");
        in(all, virtio("VirtQueue"))
                .without("distance > entries", "false")
                .without("head >= entries", "head < 0")
                .without("headStates[head] != HeadState.FREE", "false")
                .without("SplitRingLayout.descriptorTableBytes(entries),", "1,")
                .without("SplitRingLayout.availRingBytes(entries),", "1,")
                .without("SplitRingLayout.usedRingBytes(entries),", "1,")
                .without("usedRingBytes(entries), true", "usedRingBytes(entries), false");
        in(all, virtio("DescriptorChain"))
                .without("++seen > maxDescriptors", "++seen > 100 * maxDescriptors")
                .without("index >= tableEntries", "false")
                .without("!indirectNegotiated", "false")
                .without("if (inTable) {", "if (false) {")
                .without("(SplitRingLayout.flags(rest) & FLAG_NEXT) != 0", "false")
                .without("lengthBytes == 0 || lengthBytes % D", "lengthBytes % D")
                .without("|| lengthBytes % DESCRIPTOR_BYTES != 0", "")
                .without("|| lengthBytes > table.capacity()", "")
                .without(
                        "memory.translate(address, lengthBytes, false, toTable)",
                        "memory.translate(address, lengthBytes, true, toTable)")
                .without("if (lengthBytes == 0) {", "if (false) {")
                .without("!write && writableBytes > 0", "false")
                .without("readableBytes + writableBytes + lengthBytes > maxBytes", "lengthBytes > maxBytes")
                .without("pieceCount == buffers.length", "false")
                .without("!reached && fault == null", "false")
                .without("lastWritableReached = reached && write", "lastWritableReached = write")
                .without("            pieceCount = 0;\n        }", "        }");
        in(all, memory("GuestMemory"))
                .without(
                        "if (lengthBytes <= 0 || overflows(iova, lengthBytes)) {\n            return false;",
                        "if (lengthBytes <= 0) {\n            return false;")
                .without("if (region == null || !region.permits(write)) {", "if (region == null) {")
                .without("if (region == null || !region.permits(write) || region", "if (region == null || region")
                .without("|| region.bytesFrom(iova) < lengthBytes", "")
                .without("region.bytesFrom(address), GuestRegion", "Long.MAX_VALUE, GuestRegion");
        in(all, memory("GuestRegion")).without("write ? writable : readable", "write ? readable : writable");
        in(all, device("BlkRequestParser"))
                .without("chain.readableBytes() < BlkLayout.HEADER_BYTES", "false")
                .without("chain.readableBytes() > BlkLayout.HEADER_BYTES", "false")
                .without(
                        "        if (info.readOnly()) {\n            return RequestFault.READ_ONLY;\n        }\n        if (chain.w",
                        "        if (chain.w")
                .without(
                        "        if (info.readOnly()) {\n            return RequestFault.READ_ONLY;\n        }\n        if (!Blk",
                        "        if (!Blk")
                .without(
                        "chain.writableBytes() > BlkLayout.STATUS_BYTES) {\n            return RequestFault.DATA_DIRECTION;\n        }\n        request.prepare(BlockOperation.WRITE)",
                        "false) {\n            return RequestFault.DATA_DIRECTION;\n        }\n        request.prepare(BlockOperation.WRITE)")
                .without(
                        "chain.writableBytes() > BlkLayout.STATUS_BYTES) {\n            return RequestFault.DATA_DIRECTION;\n        }\n        request.prepare(operation)",
                        "false) {\n            return RequestFault.DATA_DIRECTION;\n        }\n        request.prepare(operation)")
                .without("lengthBytes == 0 || lengthBytes % info", "lengthBytes % info")
                .without("|| lengthBytes % info.blockSizeBytes() != 0", "")
                .without("!isOnDisk(sector, lengthBytes / BlkLayout.SECTOR_BYTES)", "false")
                .without("!BlkConfigSpace.offersDiscard(info)", "false")
                .without("bytes == 0 ||", "")
                .without("|| bytes % BlkLayout.RANGE_BYTES != 0", "")
                .without("|| bytes / BlkLayout.RANGE_BYTES > info.maxRanges()", "")
                .without("(flags & ~allowed) != 0", "false")
                .without(
                        "operation == BlockOperation.WRITE_ZEROES ? BlkLayout.RANGE_FLAG_UNMAP : 0",
                        "BlkLayout.RANGE_FLAG_UNMAP")
                .without("sectors == 0 ||", "")
                .without("|| sectors > BlkConfigSpace.maxRangeSectors(info)", "")
                .without("|| sectors % blockSectors != 0", "")
                .without("!isOnDisk(sector, sectors)", "false")
                .without("Long.compareUnsigned(sector, capacity) <= 0", "true")
                .without("&& sectors <= capacity - sector", "")
                .without("&& sector % (info.blockSizeBytes() / BlkLayout.SECTOR_BYTES) == 0", "")
                .without("room < BlkLayout.ID_BYTES", "false");
        in(all, device("BlkQueue"))
                .without("fault == null ? chain.writableBytes() > 0 : chain.endsWritable()", "true")
                .without("if (state != State.RUNNING) {", "if (state == State.IDLE) {")
                .without("slot.end();", "");
        in(all, device("BlkSlot")).without("statusBuffer.put(statusOffset, (byte) status);", "");
        return all;
    }

    private record In(List<SourceChange> all, Path file) {
        In without(String text, String replacement) {
            all.add(SourceChange.of(file, text, replacement));
            return this;
        }
    }

    private static In in(List<SourceChange> all, Path file) {
        return new In(all, file);
    }

    private static Path virtio(String name) {
        return Path.of("../vduse-core/src/main/java/io/farblock/virtio", name + ".java");
    }

    private static Path memory(String name) {
        return Path.of("../vduse-core/src/main/java/io/farblock/memory", name + ".java");
    }

    private static Path device(String name) {
        return Path.of("src/main/java/io/farblock/device", name + ".java");
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("removals")
    void turnsTheHostileDriverRed(SourceChange removal) throws Exception {
        removal.compileInto(classes);
        assertThat(verdict())
                .as("without %s the hostile driver sees no difference", removal)
                .isNotNull();
    }

    @Test
    void isGreenWithEveryCheckInPlace() throws Exception {
        SourceChange.of(device("BlkQueue"), "private boolean memoryLost;", "private boolean memoryLost;")
                .compileInto(classes);
        assertThat(verdict()).isNull();
    }

    /** What the hostile driver finds, or null. */
    private Throwable verdict() throws Exception {
        return SourceChange.verdict(classes, LOADED_ANEW, HostileSuite.class, SEED, HITS_PER_CHECK);
    }
}
