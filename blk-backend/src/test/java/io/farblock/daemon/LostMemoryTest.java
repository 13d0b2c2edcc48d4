package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Memory that vanishes while the device uses it; in a JVM of its own, so that a crash of it is an exit status. */
@Timeout(120)
class LostMemoryTest {
    private static final long PATIENCE_SECONDS = 60;

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "rings, false, 3",
        "tables, false, 3",
        "headers, true, 3",
        "payloads, false, 3",
        "payloads, true, 3",
        "statuses, false, 3",
        "rings, false, 60000",
        "tables, false, 60000",
        "headers, true, 60000",
        "payloads, false, 60000",
        "payloads, true, 60000",
        "statuses, false, 60000"
    })
    void stopsThatQueueAndNoOther(String what, String write, String warmUp) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.add("-XX:ErrorFile=" + directory.resolve("crash.log"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), LostMemory.class.getName()));
        command.addAll(List.of(what, write, warmUp));
        File output = directory.resolve("output").toFile();
        Process child = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output)
                .start();
        boolean ended = child.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS);
        child.destroyForcibly();
        assertThat(ended).as("ended: %s", Files.readString(output.toPath())).isTrue();
        assertThat(child.exitValue()).as(Files.readString(output.toPath())).isZero();
    }
}
