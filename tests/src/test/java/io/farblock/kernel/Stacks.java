package io.farblock.kernel;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Where the threads of servers and daemons are, for a test that waits for them in vain. */
final class Stacks {
    private static final int FRAMES = 12;
    private static final int ANSWER_SECONDS = 60;

    private Stacks() {}

    /** The threads of each process of the {@code farblock} command, but for those that every virtual machine has. */
    static String now() throws InterruptedException {
        Path tool = Path.of(System.getProperty("java.home"), "bin", "jcmd");
        try {
            // The brackets keep the shell from finding itself.
            return shortened(Shell.run(
                            "for pid in $(pgrep -f 'io.farblock.cli.[F]arblock'); do echo; tail -c 200 /proc/$pid/cmdline"
                                    + " | tr '\\0' ' '; echo; echo; timeout " + ANSWER_SECONDS + " " + tool
                                    + " $pid Thread.print; done")
                    .output());
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Of each process its arguments, and of each thread its name and where it is. */
    private static String shortened(String dump) {
        return Stream.of(dump.split("\n\n", -1))
                .filter(part ->
                        part.startsWith("\"farblock") || part.startsWith("\"main") || part.contains("cli.Farblock "))
                .map(part -> part.lines().limit(FRAMES).collect(Collectors.joining("\n")))
                .collect(Collectors.joining("\n"));
    }
}
