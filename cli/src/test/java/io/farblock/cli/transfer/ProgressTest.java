package io.farblock.cli.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressTest {
    @Test
    void fillsTheBarAndNoMoreWhenMoreIsDoneThanWasAnnounced() {
        assertThat(bar(100, 500)).contains("[" + "=".repeat(30) + "] 500 of 100");
    }

    @Test
    void fillsAsMuchOfTheBarAsIsDone() {
        assertThat(bar(100, 50)).contains("[" + "=".repeat(15) + " ".repeat(15) + "] 50 of 100");
    }

    private static String bar(long totalBytes, long doneBytes) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        Progress progress =
                new Progress(totalBytes, Long::toString, new PrintStream(text, true, StandardCharsets.UTF_8), true);
        progress.accept(doneBytes);
        progress.end();
        return text.toString(StandardCharsets.UTF_8);
    }
}
