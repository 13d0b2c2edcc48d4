package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The parent of a supervised daemon, over a child that is a few lines of shell. */
@Timeout(60)
class SuperviseTest {
    private static final Path SUPERVISE =
            Path.of("..").toAbsolutePath().normalize().resolve("launcher/supervise");
    private static final int LIMIT_SECONDS = 60;
    private static final int ROUNDS = 20;

    @TempDir
    private Path work;

    private Process parent;

    /** Starts a child that writes a line into the file "starts" and then runs the script, with the line's number in n. */
    private BufferedReader supervise(String script) throws IOException {
        return launch("sh", "-c", "echo start >>starts; n=$(wc -l <starts); " + script);
    }

    /** Starts a child that runs one script to serve, and another one when it was started to stand by or to replace. */
    private BufferedReader superviseWithStandby(String serve, String standby, String replace) throws IOException {
        String child = "trap 'exit 143' TERM; echo start >>starts; case ${1:-} in --standby) " + standby
                + ";; --replace) " + replace + ";; *) " + serve + ";; esac; while :; do sleep 0.05; done";
        return launch("--standby", "sh", "-c", child, "child");
    }

    private BufferedReader launch(String... command) throws IOException {
        List<String> line = new ArrayList<>(List.of(command));
        // A shell cannot trap what it was started to ignore, as below nohup.
        line.addAll(0, List.of("env", "--default-signal=HUP", SUPERVISE.toString()));
        ProcessBuilder builder =
                new ProcessBuilder(line).directory(work.toFile()).redirectErrorStream(true);
        builder.environment().put("FARBLOCK_STANDBY_PAUSE", "0");
        parent = builder.start();
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

    @Test
    void hasTheOneThatStandsByTakeOverAndStartsAnother() throws Exception {
        BufferedReader output = superviseWithStandby(
                "until [ -e standing ]; do sleep 0.05; done; kill -9 $$",
                "[ ! -e standing ] || echo another; touch standing",
                "echo never");
        assertThat(nextOf(output))
                .matches("farblock: the service \\(process (\\d+)\\) was killed by SIGKILL;"
                        + " process \\d+, which stood by, takes its place");
        assertThat(nextOf(output)).isEqualTo("another");
        parent.toHandle().destroy();
        assertThat(exitCode()).isEqualTo(143);
        assertThat(starts()).isEqualTo(3);
    }

    /** The second death comes while the shell attends to the first one. */
    @Test
    void startsTheServiceAgainWhenItAndTheOneThatStandsByAreKilledAtOnce() throws Exception {
        BufferedReader output = superviseWithStandby(
                "if [ -e killed ]; then echo up; else until [ -s standing ]; do sleep 0.05; done;"
                        + " touch killed; kill -9 $(cat standing) $$; fi",
                "[ -e killed ] || echo $$ >standing",
                "echo never");
        assertThat(output.lines().anyMatch("up"::equals)).isTrue();
        parent.toHandle().destroy();
        assertThat(exitCode()).isEqualTo(143);
    }

    /** Many, since what the shell knows of its processes has depended on the moment in which they died. */
    @Test
    void saysNothingButItsLineHoweverOftenTheServiceIsKilled() throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            Files.deleteIfExists(work.resolve("starts"));
            startsAgainWhatWasKilledAndSaysSoInOneLine();
        }
    }

    @Test
    void replacesTheServiceOnSighupAndStartsOneThatStandsByForTheNewOne() throws Exception {
        BufferedReader output = superviseWithStandby(
                "trap 'exit 0' USR1; echo $$ >serving; echo up", "echo standing by", "kill -USR1 $(cat serving)");
        assertThat(List.of(nextOf(output), nextOf(output))).containsExactlyInAnyOrder("up", "standing by");
        hangUp();
        assertThat(nextOf(output))
                .matches("farblock: the service \\(process \\d+\\) ended with code 0; process \\d+ takes its place");
        assertThat(nextOf(output)).isEqualTo("standing by");
        parent.toHandle().destroy();
        assertThat(exitCode()).isEqualTo(143);
        assertThat(starts()).isEqualTo(4);
    }

    @Test
    void leavesTheServiceAloneWhenTheOneThatWasToReplaceItFails() throws Exception {
        BufferedReader output = superviseWithStandby("echo up", "echo standing by", "exit 3");
        assertThat(List.of(nextOf(output), nextOf(output))).containsExactlyInAnyOrder("up", "standing by");
        hangUp();
        assertThat(nextOf(output))
                .isEqualTo("farblock: the process that was to take the service's place ended with code 3; the service"
                        + " runs on");
        assertThat(nextOf(output)).isEqualTo("standing by");
        parent.toHandle().destroy();
        assertThat(exitCode()).isEqualTo(143);
    }

    private void hangUp() throws Exception {
        assertThat(new ProcessBuilder("kill", "-HUP", Long.toString(parent.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    private static String nextOf(BufferedReader output) throws IOException {
        String line = output.readLine();
        return line != null && line.contains("OOM score") ? output.readLine() : line;
    }
}
