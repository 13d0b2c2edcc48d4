package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a bash says that was given the script. */
class CompletionCommandTest {
    @TempDir
    Path directory;

    /** What it offers for the last of the words. */
    private List<String> offered(String... words) throws Exception {
        Run run = Run.of("completion");
        assertThat(run.code()).as(run.err()).isZero();
        Path script = Files.writeString(directory.resolve("completion"), run.out());
        // Which bash has only while it completes.
        String asks =
                "compopt() { :; }; source " + script + "; COMP_WORDS=(" + String.join(" ", words) + "); COMP_CWORD="
                        + (words.length - 1) + "; $(complete -p farblock | sed 's/.*-F \\([^ ]*\\).*/\\1/');"
                        + " printf '%s\\n' \"${COMPREPLY[@]}\"";
        Process bash =
                new ProcessBuilder("bash", "-c", asks).redirectErrorStream(true).start();
        String said = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(bash.waitFor()).as(said).isZero();
        return said.lines().toList();
    }

    @Test
    void offersCommands() throws Exception {
        assertThat(offered("farblock", "vol")).containsExactly("volume");
        assertThat(offered("farblock", "volume", "sn")).containsExactly("snapshot");
        assertThat(offered("farblock", "class")).noneMatch(word -> word.startsWith("class"));
    }

    @Test
    void offersOptions() throws Exception {
        assertThat(offered("farblock", "volume", "create", "--si")).containsExactly("--size");
        assertThat(offered("farblock", "server", "--log-f")).containsExactly("--log-format");
    }
}
