package io.farblock.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes at random with a flush now and then, reads everything back and compares, again and again, while something
 * happens to the daemon, the server or what is between them. Ends with an error at the first byte that is wrong and at
 * the first request that fails.
 */
final class Load implements AutoCloseable {
    private static final int DEPTH = 32;

    private final Path stop;
    private final Path output;
    private final Process process;

    /**
     * Begins.
     *
     * @param target a device or a file
     * @param megabytes how much of it is written to in each round
     */
    Load(String target, int megabytes) throws IOException {
        Path folder = Files.createTempDirectory("farblock-load");
        stop = folder.resolve("stop");
        output = folder.resolve("output");
        // Where a processor is emulated, what starts meanwhile is to have it first: the load takes what is left.
        String fio = "nice -n 19 fio --name=load --ioengine=libaio --direct=1 --rw=randwrite --bs=4k --iodepth=" + DEPTH
                + " --size=" + megabytes + "m --fsync=64 --verify=crc32c --verify_fatal=1 --do_verify=1"
                + " --randseed=$round --filename=" + target;
        String rounds = "cd " + folder + "; round=0; while [ ! -e stop ]; do round=$((round + 1)); " + fio
                + " || exit; done; echo \"rounds $round\"";
        process = new ProcessBuilder("bash", "-c", rounds)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        process.getOutputStream().close();
    }

    /** Fails if it has ended, which only an error makes it do. */
    void mustBeRunning() throws IOException {
        assertThat(process.isAlive()).as(text()).isTrue();
    }

    /** Lets the round that runs come to its end, and fails if anything was wrong in any. */
    void mustEndClean() throws IOException, InterruptedException {
        Files.createFile(stop);
        assertThat(process.waitFor()).as(text()).isZero();
        assertThat(text()).contains("err= 0").doesNotContain("verify:", "err=5");
    }

    /** Waits for it to end by itself, with an I/O error. */
    void mustFail() throws IOException, InterruptedException {
        assertThat(process.waitFor()).as(text()).isNotZero();
        assertThat(text()).contains("Input/output error").doesNotContain("verify:");
    }

    private String text() throws IOException {
        return Files.readString(output, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().onExit().join();
    }
}
