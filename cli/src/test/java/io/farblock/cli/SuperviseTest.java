package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The parent of a supervised daemon, over a child that is a few lines of shell. */
class SuperviseTest {
    private static final Path SUPERVISE =
            Path.of("..").toAbsolutePath().normalize().resolve("launcher/supervise");
    private static final int LIMIT_SECONDS = 60;

    @TempDir
    private Path work;

    private Process parent;

    /** Starts a child that writes a line into the file "starts" and then runs the script, with the line's number in n. */
    private BufferedReader supervise(String script) throws IOException {
        String child = "echo start >>starts; n=$(wc -l <starts); " + script;
        parent = new ProcessBuilder(SUPERVISE.toString(), "sh", "-c", child)
                .directory(work.toFile())
                .redirectErrorStream(true)
                .start();
        return parent.inputReader();
    }

    private int exitCode() throws InterruptedException {
        assertThat(parent.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        return parent.exitValue();
    }

    /** What was said of the child; whether the OOM score may be lowered depends on who runs the test. */
    private static List<String> deaths(BufferedReader output) {
        return output.lines().filter(line -> !line.contains("OOM score")).toList();
    }

    private int starts() throws IOException {
        return Files.readAllLines(work.resolve("starts")).size();
    }

    @AfterEach
    void end() {
        parent.destroyForcibly();
    }

    @Test
    void startsAgainWhatWasKilledAndSaysSoInOneLine() throws Exception {
        BufferedReader output = supervise("[ $n -gt 1 ] || kill -9 $$; exit 0");
        assertThat(deaths(output))
                .singleElement()
                .asString()
                .matches("farblock: the service \\(process \\d+\\) was killed by SIGKILL; starting it again");
        assertThat(exitCode()).isZero();
        assertThat(starts()).isEqualTo(2);
    }

    @Test
    void pausesOnlyAfterRepeatedQuickDeaths() throws Exception {
        BufferedReader output = supervise("[ $n -gt 3 ] || exit 7; exit 0");
        assertThat(deaths(output))
                .satisfiesExactly(
                        line -> assertThat(line).endsWith("ended with code 7; starting it again"),
                        line -> assertThat(line).endsWith("ended with code 7; starting it again"),
                        line -> assertThat(line).endsWith("ended with code 7; starting it again in 1 s"));
        assertThat(exitCode()).isZero();
    }

    @Test
    void endsWithTheCodeOfAServiceThatCouldNotStart() throws Exception {
        BufferedReader output = supervise("exit 1");
        assertThat(deaths(output)).isEmpty();
        assertThat(exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(starts()).isEqualTo(1);
    }

    @Test
    void passesSigtermOnAndWaitsForTheEnd() throws Exception {
        BufferedReader output = supervise("trap 'echo stopped; exit 143' TERM; echo up; while :; do sleep 0.1; done");
        assertThat(output.lines().anyMatch("up"::equals)).isTrue();
        // The process itself would close the stream, which still has something to say.
        parent.toHandle().destroy();
        assertThat(deaths(output)).containsExactly("stopped");
        assertThat(exitCode()).isEqualTo(143);
        assertThat(starts()).isEqualTo(1);
    }
}
