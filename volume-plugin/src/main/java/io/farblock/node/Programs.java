package io.farblock.node;

import java.util.List;

/**
 * Programs of the system, such as mount(8).
 *
 * <p>Everything that may wait for a disk goes through one of them, also what Java could do by itself: a thread that waits
 * for a disk whose server is away cannot be killed, a program of its own can be left behind.
 */
public interface Programs {
    /**
     * How a program ended.
     *
     * @param exitCode 0 if it did what it was asked to
     * @param output what it said; cut if it is very long
     */
    record Outcome(int exitCode, String output) {}

    /** Runs a program and waits until it has ended; refuses only if it cannot be started. */
    Outcome run(List<String> command) throws NodeException;

    /** Runs a program that has to succeed. */
    default void require(List<String> command) throws NodeException {
        Outcome outcome = run(command);
        if (outcome.exitCode() != 0) {
            throw new NodeException(NodeException.Kind.FAILED, failure(command, outcome));
        }
    }

    /** What to tell a person of a program that failed. */
    static String failure(List<String> command, Outcome outcome) {
        String said = outcome.output().strip().replaceAll("\\s*\\R\\s*", "; ");
        return String.join(" ", command) + ": " + (said.isEmpty() ? "exit code " + outcome.exitCode() : said);
    }
}
