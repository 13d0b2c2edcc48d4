package io.farblock.cli.transfer;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongConsumer;
import java.util.function.LongFunction;

/** Says on standard error how far something is: a bar on a terminal, else a line of JSON each second. */
public final class Progress implements LongConsumer {
    private static final long SECOND = 1_000_000_000;
    private static final long TERMINAL_NANOS = SECOND / 5;
    private static final int BAR_WIDTH = 30;

    private final PrintStream out;
    private final boolean isTerminal;
    private final LongFunction<String> sizeText;
    private final long totalBytes;
    private final long beginNanos = System.nanoTime();
    private long lastNanos = beginNanos;
    private long doneBytes;

    /** @param sizeText how sizes are written for people */
    public Progress(long totalBytes, LongFunction<String> sizeText) {
        this(totalBytes, sizeText, System.err, Terminal.hasErrors());
    }

    Progress(long totalBytes, LongFunction<String> sizeText, PrintStream out, boolean isTerminal) {
        this.totalBytes = totalBytes;
        this.sizeText = sizeText;
        this.out = out;
        this.isTerminal = isTerminal;
    }

    @Override
    public void accept(long moreBytes) {
        doneBytes += moreBytes;
        long nowNanos = System.nanoTime();
        if (nowNanos - lastNanos >= (isTerminal ? TERMINAL_NANOS : SECOND)) {
            lastNanos = nowNanos;
            say(nowNanos);
        }
    }

    /** It is done. */
    public void end() {
        say(System.nanoTime());
        if (isTerminal) {
            out.println();
        }
    }

    private void say(long nowNanos) {
        double seconds = (nowNanos - beginNanos) / 1e9;
        if (!isTerminal) {
            out.printf(
                    Locale.ROOT,
                    "{\"done_bytes\": %d, \"total_bytes\": %d, \"seconds\": %.1f}%n",
                    doneBytes,
                    totalBytes,
                    seconds);
            return;
        }
        // A stream says itself what it brings, and may say the same twice.
        double part = totalBytes == 0 ? 1 : Math.min(1, (double) doneBytes / totalBytes);
        int filled = (int) (BAR_WIDTH * part);
        out.printf(
                Locale.ROOT,
                "\r[%s%s] %s of %s, %s/s ",
                "=".repeat(filled),
                " ".repeat(BAR_WIDTH - filled),
                sizeText.apply(doneBytes),
                sizeText.apply(totalBytes),
                sizeText.apply((long) (doneBytes / Math.max(seconds, 0.001))));
        out.flush();
    }
}
