package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What a manual page says, after groff has set it. */
class ManCommandTest {
    @TempDir
    Path folder;

    @BeforeEach
    void write() {
        Run run = Run.of("man", folder.toString());
        assertThat(run.code()).as(run.err()).isZero();
    }

    /** A page as a reader sees it, or what groff has to say against it. */
    private String set(Path page) throws Exception {
        Process groff = new ProcessBuilder("groff", "-man", "-ww", "-Tascii", "-P-cbou", "-rLL=200n", page.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(groff.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        assertThat(groff.waitFor()).as(said).isZero();
        return said;
    }

    private List<Path> pages() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }

    @Test
    void hasAPageOfEachCommandThatTheHelpShows() throws Exception {
        List<String> expected = new ArrayList<>();
        addNames(Farblock.commandLine(), expected);

        assertThat(pages().stream().map(page -> page.getFileName().toString()))
                .containsExactlyInAnyOrderElementsOf(expected)
                .contains("farblock.1", "farblock-volume-snapshot-create.1")
                .doesNotContain("farblock-help.1", "farblock-class-data.1");
    }

    private static void addNames(CommandLine command, List<String> names) {
        if (!List.of("help", "class-data").contains(command.getCommandName())) {
            names.add(command.getCommandSpec().qualifiedName("-") + ".1");
            command.getSubcommands().values().forEach(each -> addNames(each, names));
        }
    }

    @Test
    void isWrittenWithoutAMistakeOfForm() throws Exception {
        for (Path page : pages()) {
            assertThat(set(page)).as(page.toString()).doesNotContain("warning", "error:", "${", "%n");
        }
    }

    @Test
    void saysWhatTheHelpSays() throws Exception {
        String page = set(folder.resolve("farblock-volume-create.1"));

        assertThat(page)
                .contains("farblock-volume-create - Create a volume of zeros")
                .containsPattern(
                        "(?s)farblock volume create \\[.{0,500}--size=SIZE .{0,100}\\.\\.\\. NAME\n\nDESCRIPTION")
                .containsPattern("--block-size=BYTES\n +Smallest unit of a request, 512 or 4096; 4096 if not given\\.")
                .containsPattern("FARBLOCK_VOLUME_CREATE_BLOCK_SIZE\n +--block-size")
                .containsPattern("EXAMPLE\n +farblock volume create mail --size 200G --block-size 4096\n")
                .containsPattern("\n +5 +in use, taken")
                .contains("farblock-volume(1)");
        assertThat(set(folder.resolve("farblock.1"))).containsPattern("farblock-attach\\(1\\)\n +Make");
    }
}
