package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What the command prints when all is well: help that a newcomer can follow, text for people, JSON for scripts. */
class FarblockTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @TempDir
    Path work;

    @Test
    void helpsWithEveryCommand() {
        for (List<String> command : List.of(
                List.of("server"),
                List.of("daemon"),
                List.of("volume"),
                List.of("volume", "create"),
                List.of("attach"),
                List.of("detach"),
                List.of("status"),
                List.of("doctor"))) {
            String name = "farblock " + String.join(" ", command);
            List<String> help = new ArrayList<>(command);
            help.add("--help");
            Run run = Run.of(help.toArray(new String[0]));
            assertThat(run.code()).as(name).isZero();
            assertThat(run.out()).as(name).contains("Usage: " + name, "Example", "Exit codes:", name + " ");
        }
        assertThat(Run.of("--help").out())
                .contains("First steps:", "farblock demo")
                .doesNotContain("class-data");
    }

    /** Only the branch of the command tree that is called is made, and it says what the whole tree says. */
    @Test
    void helpsWithACommandAsTheWholeTreeDoes() {
        List<String> helped = new ArrayList<>();
        helpsAsTheWholeTreeDoes(Farblock.commandLine(), List.of(), helped);
        assertThat(helped).contains("attach", "volume", "volume list", "volume import", "volume snapshot create");
        assertThat(Run.of("help", "volume").out()).contains("farblock volume create backup");
    }

    private static void helpsAsTheWholeTreeDoes(CommandLine line, List<String> words, List<String> helped) {
        for (CommandLine subcommand : line.getSubcommands().values()) {
            List<String> call = new ArrayList<>(words);
            call.add(subcommand.getCommandName());
            // "help" takes no --help.
            if (!subcommand.getCommandName().equals("help")) {
                helped.add(String.join(" ", call));
                helpsAsTheWholeTreeDoes(subcommand, call, helped);
                call.add("--help");
                assertThat(Run.of(call.toArray(new String[0])).out()).isEqualTo(subcommand.getUsageMessage());
            }
        }
    }

    @Test
    void saysItsVersion() {
        assertThat(Run.of("--version").out()).startsWith("farblock ");
    }

    @Test
    void showsVolumesToPeopleAndToScripts() throws Exception {
        try (StorageServer server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT))) {
            String admin = "127.0.0.1:" + server.adminAddress().getPort();
            assertThat(Run.of("volume", "list", "--json", "--admin", admin).out())
                    .contains("\"volumes\": []");
            assertThat(Run.of("volume", "create", "mail", "--size", "1G", "--admin", admin)
                            .out())
                    .isEqualTo("created mail, 1G\n");
            assertThat(Run.of("volume", "list", "--admin", admin).out())
                    .startsWith("NAME  SIZE  ON DISK  BLOCK  STATE  WRITER\nmail  1G    0        4096   ready  -\n")
                    .containsPattern("\n0 of 1G are on the disk, .* free\n$");
            assertThat(Run.of("volume", "show", "mail", "--json", "--admin", admin)
                            .out())
                    .contains(
                            "\"name\": \"mail\"",
                            "\"size_bytes\": \"1073741824\"",
                            "\"state\": \"VOLUME_STATE_READY\"");
            assertThat(Run.of("volume", "show", "mail", "--admin", admin).out())
                    .contains("size         1G (1073741824 bytes)", "on no space  queue");
            assertThat(Run.of("volume", "check", "mail", "--admin", admin).out())
                    .isEqualTo("0 are what was written, 0 blocks are damaged\n");
            assertThat(Run.of("volume", "delete", "mail", "--admin", admin).out())
                    .isEqualTo("deleted mail\n");
        }
    }

    @Test
    void saysInJsonWhatTheDoctorFound() {
        Run run = Run.of("doctor", "--json", "--only", "server", "--admin", "127.0.0.1:1");
        assertThat(run.code()).isEqualTo(ExitCode.FAILED);
        assertThat(run.out())
                .contains("\"ok\": false", "\"check\": \"server\\u0027s admin port\"", "\"severity\": \"problem\"");
    }
}
