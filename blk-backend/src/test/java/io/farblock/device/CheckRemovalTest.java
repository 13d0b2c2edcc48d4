package io.farblock.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Removes one check at a time from the sources, compiles them, and expects the hostile driver to find out.
 *
 * <p>Each removal names a file and a text that occurs in it exactly once: a check that moves away takes this test with
 * it. A removal that makes the device loop for ever counts as found.
 */
class CheckRemovalTest {
    private static final int HITS_PER_CHECK = 4;
    private static final long SEED = 4711;
    private static final long PATIENCE_SECONDS = 120;

    @TempDir
    Path classes;

    private record Removal(Path file, String text, String replacement) {
        @Override
        public String toString() {
            return file.getFileName() + ": " + text.strip();
        }
    }

    static List<Removal> removals() {
        List<Removal> all = new ArrayList<>();
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
                .without("headStates[head] != FREE", "false")
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

    /** The suite itself failed, and not what it takes to run it. */
    private static final class Red extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Red(Throwable cause) {
            super(cause);
        }
    }

    private record In(List<Removal> all, Path file) {
        In without(String text, String replacement) {
            all.add(new Removal(file, text, replacement));
            return this;
        }
    }

    private static In in(List<Removal> all, Path file) {
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
    void turnsTheHostileDriverRed(Removal removal) throws Exception {
        compileWithout(removal);
        assertThat(verdict())
                .as("without %s the hostile driver sees no difference", removal)
                .isNotNull();
    }

    @Test
    void isGreenWithEveryCheckInPlace() throws Exception {
        compileWithout(new Removal(device("BlkQueue"), "private boolean memoryLost;", "private boolean memoryLost;"));
        assertThat(verdict()).isNull();
    }

    private void compileWithout(Removal removal) throws IOException {
        String source = Files.readString(removal.file);
        assertThat(source.split(Pattern.quote(removal.text), -1))
                .as("%s occurs exactly once", removal)
                .hasSize(2);
        Path changed = Files.createDirectories(classes.resolve("source"))
                .resolve(removal.file.getFileName().toString());
        Files.writeString(changed, source.replace(removal.text, removal.replacement));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        StringWriter errors = new StringWriter();
        boolean compiled = compiler.getTask(
                        errors,
                        null,
                        null,
                        List.of("-proc:none", "-cp", System.getProperty("java.class.path"), "-d", classes.toString()),
                        null,
                        compiler.getStandardFileManager(null, null, null).getJavaFileObjects(changed))
                .call();
        assertThat(compiled).as(errors.toString()).isTrue();
    }

    /** What the hostile driver finds, or null. */
    private Throwable verdict() throws Exception {
        FutureTask<Void> run = new FutureTask<>(this::runSuite, null);
        Thread thread = new Thread(run, "hostile driver");
        thread.setDaemon(true);
        thread.start();
        try {
            run.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            return null;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Red red) {
                return red.getCause();
            }
            throw e;
        } catch (TimeoutException e) {
            return e;
        }
    }

    private void runSuite() {
        try (MutantLoader loader = new MutantLoader(classes)) {
            Class<?> suite = loader.loadClass(HostileSuite.class.getName());
            Constructor<?> make = suite.getDeclaredConstructor(long.class);
            Method run = suite.getDeclaredMethod("run", int.class);
            make.setAccessible(true);
            run.setAccessible(true);
            run.invoke(make.newInstance(SEED), HITS_PER_CHECK);
        } catch (InvocationTargetException e) {
            throw new Red(e.getCause());
        } catch (ReflectiveOperationException | IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Loads the queue, the ring and the memory anew, the changed class first; all else is shared. */
    private static final class MutantLoader extends URLClassLoader {
        MutantLoader(Path changed) throws IOException {
            super(urls(changed), CheckRemovalTest.class.getClassLoader());
        }

        private static URL[] urls(Path changed) throws IOException {
            List<URL> urls = new ArrayList<>();
            urls.add(changed.toUri().toURL());
            for (String entry : System.getProperty("java.class.path").split(":", -1)) {
                urls.add(Path.of(entry).toUri().toURL());
            }
            return urls.toArray(new URL[0]);
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            boolean anew = Stream.of("io.farblock.device.", "io.farblock.virtio.", "io.farblock.memory.")
                    .anyMatch(name::startsWith);
            if (!anew) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? findClass(name) : loaded;
        }
    }
}
