package io.farblock.cli;

import io.farblock.cli.transfer.Terminal;
import java.io.PrintWriter;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Pages that are printed again and again; on a terminal each takes the place of the one before it. */
final class LivePages {
    private static final int MOST_SECONDS = 3600;
    // ECMA-48: the cursor to the first column of the first line, and all from there on erased.
    private static final String NEW_PAGE = "\033[H\033[J";

    @Option(
            names = "--interval",
            paramLabel = "SECONDS",
            defaultValue = "1",
            description = "How long each page counts: ${DEFAULT-VALUE} unless given.")
    private int intervalSeconds;

    @Option(
            names = "--count",
            paramLabel = "PAGES",
            defaultValue = "0",
            description = "End after so many pages; 0, which is usual, for never.")
    private long pages;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** Ends the command if what was asked for makes no sense. */
    void requireSense() {
        if (intervalSeconds < 1 || intervalSeconds > MOST_SECONDS) {
            throw new CommandException(ExitCode.USAGE, "--interval is from 1 to " + MOST_SECONDS + " seconds");
        }
    }

    /** Prints what it is given after each interval. A {@link CommandException} is a page too, and not the end. */
    void print(Supplier<String> page) throws InterruptedException {
        for (long printed = 0; pages == 0 || printed < pages; printed++) {
            TimeUnit.SECONDS.sleep(intervalSeconds);
            print(text(page));
        }
    }

    /** What does not answer is likely to be replaced just now, and that is worth seeing. */
    private static String text(Supplier<String> page) {
        try {
            return page.get();
        } catch (CommandException e) {
            return e.getMessage() + "\n";
        }
    }

    private void print(String text) {
        PrintWriter out = command.commandLine().getOut();
        out.print(Terminal.hasOutput() ? NEW_PAGE : "");
        out.println(command.qualifiedName() + ", "
                + LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS));
        out.print(text);
        out.flush();
    }
}
