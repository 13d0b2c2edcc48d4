package io.farblock.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** Runs commands as a person at a shell would, with their output and a limit on time. */
public final class Shell {
    private static final int LIMIT_SECONDS = 600;

    /** How a command ended. */
    public record Result(int status, String output) {}

    private Shell() {}

    /** Runs a command and returns whatever came of it; standard error is part of the output. */
    public static Result run(String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("bash", "-c", command)
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("did not end within " + LIMIT_SECONDS + " s: " + command);
        }
        return new Result(process.exitValue(), output.strip());
    }

    /** Runs a command that must succeed and returns its output. */
    public static String must(String command) throws IOException, InterruptedException {
        Result result = run(command);
        if (result.status() != 0) {
            throw new AssertionError("status " + result.status() + " of: " + command + "\n" + result.output());
        }
        return result.output();
    }
}
