package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** What a configuration file may say, which of several things counts, and what is said of one that makes no sense. */
class ConfigFileTest {
    @TempDir
    Path directory;

    private Path file(String... lines) throws Exception {
        return Files.writeString(directory.resolve("farblock.yaml"), String.join("\n", lines) + "\n");
    }

    private ConfigFile read(String... lines) throws Exception {
        return ConfigFile.read(file(lines), Farblock.commandLine());
    }

    /** An option of a command as it is parsed. */
    private static String parsed(Settings settings, String option, String... arguments) {
        CommandLine line = Farblock.commandLine();
        line.setDefaultValueProvider(settings);
        ParseResult result = line.parseArgs(arguments);
        while (result.hasSubcommand()) {
            result = result.subcommand();
        }
        Object value = result.commandSpec().findOption(option).getValue();
        return String.valueOf(value);
    }

    @Test
    void setsWhatIsNotNamed() throws Exception {
        ConfigFile file = read(
                "tls: /etc/tls", "server:", "  data: /srv/data", "  listen: 127.0.0.1:17070", "daemon:", "  loops: 3");
        Settings settings = new Settings(Map.of(), file);

        assertThat(parsed(settings, "--data", "server")).isEqualTo("/srv/data");
        assertThat(parsed(settings, "--listen", "server")).isEqualTo("127.0.0.1:17070");
        assertThat(parsed(settings, "--admin", "server")).isEqualTo("127.0.0.1:7071");
        assertThat(parsed(settings, "--loops", "daemon")).isEqualTo("3");
        assertThat(parsed(settings, "--tls", "server")).isEqualTo("/etc/tls");
        assertThat(parsed(settings, "--tls", "daemon")).isEqualTo("/etc/tls");
    }

    @Test
    void countsLessThanTheEnvironmentAndThatLessThanTheCommandLine() throws Exception {
        ConfigFile file = read("admin: 127.0.0.1:1", "server:", "  data: /srv/data");
        Settings environment = new Settings(
                Map.of("FARBLOCK_ADMIN", "127.0.0.1:2", "FARBLOCK_SERVER_DATA", "/of/the/environment"), file);
        Settings own =
                new Settings(Map.of("FARBLOCK_ADMIN", "127.0.0.1:2", "FARBLOCK_SERVER_ADMIN", "127.0.0.1:3"), file);
        Settings empty = new Settings(Map.of("FARBLOCK_ADMIN", ""), file);

        assertThat(parsed(environment, "--data", "server")).isEqualTo("/of/the/environment");
        assertThat(parsed(environment, "--data", "server", "--data", "/named")).isEqualTo("/named");
        assertThat(parsed(environment, "--admin", "server")).isEqualTo("127.0.0.1:2");
        assertThat(parsed(own, "--admin", "server")).isEqualTo("127.0.0.1:3");
        assertThat(parsed(empty, "--admin", "server")).isEqualTo("127.0.0.1:1");
    }

    @Test
    void hasTheNearestSectionCount() throws Exception {
        Settings settings = new Settings(
                Map.of(),
                read("admin: 127.0.0.1:1", "volume:", "  admin: 127.0.0.1:2", "  create:", "    block-size: 512"));

        assertThat(parsed(settings, "--admin", "volume", "list")).isEqualTo("127.0.0.1:2");
        assertThat(parsed(settings, "--admin", "server", "--data", "x")).isEqualTo("127.0.0.1:1");
        assertThat(parsed(settings, "--block-size", "volume", "create", "v", "--size", "1G"))
                .isEqualTo("512");
    }

    @Test
    void tellsEveryMistakeWithItsLine() throws Exception {
        Path file = file(
                "server:",
                "  data: /srv/data",
                "  lisen: 127.0.0.1:7070",
                "  admin: nowhere",
                "  reserve: 20Q",
                "  insecure: perhaps",
                "  data: /twice",
                "servr:",
                "  data: x",
                "daemon:",
                "  loops: many",
                "  tls:",
                "csi: [1, 2]",
                "config: x");

        assertThatThrownBy(() -> ConfigFile.read(file, Farblock.commandLine()))
                .isInstanceOf(CommandException.class)
                .message()
                .contains(file + ":3: 'farblock server' has no option 'lisen'; it has data, listen, admin, ")
                .contains(file + ":4: 'admin': 'nowhere' is no address: write host:port")
                .contains(file + ":5: 'reserve': '20Q' is no size")
                .contains(file + ":6: 'insecure': write true or false")
                .contains(file + ":7: 'data' is there already, in line 2")
                .contains(file + ":8: there is no command and no option 'servr'")
                .contains(file + ":11: 'loops': Invalid value for option '--loops'")
                .contains(file + ":12: 'tls' needs one value")
                .contains(file + ":13: here should be lines such as")
                .contains(file + ":14: ")
                .hasLineCount(10);
    }

    @Test
    void tellsWhereItIsNoYaml() throws Exception {
        Path file = file("server:", "  data: \"x");

        assertThatThrownBy(() -> ConfigFile.read(file, Farblock.commandLine()))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining(file + ":");
    }

    @Test
    void tellsWhenItCannotBeRead() throws Exception {
        Path bytes = Files.write(directory.resolve("bytes"), new byte[] {(byte) 0xff, (byte) 0xfe, 0, 1});
        Path nested = Files.writeString(directory.resolve("nested"), "[".repeat(1_000));
        for (Path file : List.of(bytes, nested, directory, directory.resolve("none"))) {
            assertThatThrownBy(() -> ConfigFile.read(file, Farblock.commandLine()))
                    .isInstanceOf(CommandException.class)
                    .hasMessageContaining("the configuration " + file + " cannot be read: ");
        }
    }

    @Test
    void doesNotSayWhatHasToBeSaidEachTime() throws Exception {
        Path file = file("force: true", "destroy-data: true", "take-over: true");

        assertThatThrownBy(() -> ConfigFile.read(file, Farblock.commandLine()))
                .isInstanceOf(CommandException.class)
                .message()
                .hasLineCount(3);
        Settings settings = new Settings(Map.of("FARBLOCK_DETACH_FORCE", "true"), null);
        assertThat(parsed(settings, "--force", "detach", "mail")).isEqualTo("false");
    }

    @Test
    void refusesToStartWithAMistakeAndStillHelps() throws Exception {
        String file = file("server:", "  reserve: 20Q").toString();

        Run server = Run.of("server", "--config", file, "--data", directory.toString());
        assertThat(server.code()).isEqualTo(ExitCode.USAGE);
        assertThat(server.err()).startsWith("farblock: " + file + ":2: 'reserve': '20Q' is no size");
        Run check = Run.of("config", "check", file);
        assertThat(check.code()).isEqualTo(ExitCode.USAGE);
        assertThat(check.err()).isEqualTo(server.err());
        assertThat(Run.of("config", "check", "--config", file).err()).isEqualTo(server.err());
        assertThat(Run.of("--help").code()).isZero();
    }

    @Test
    void refusesAFileThatIsNotThere() {
        Run run = Run.of("status", "--config", directory.resolve("none").toString());

        assertThat(run.code()).isEqualTo(ExitCode.USAGE);
        assertThat(run.err()).startsWith("farblock: the configuration ").contains("none");
    }

    @Test
    void showsWhatCountsAndWhy() throws Exception {
        String file = file("server:", "  reserve: 20G").toString();

        Run run = Run.of("config", "show", "server", "--config", file);

        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out().lines().map(line -> line.replaceAll(" +", " ")))
                .contains("COMMAND OPTION VALUE FROM")
                .contains("server --reserve 20G " + file + ":2")
                .contains("server --checksum-memory 256M default")
                .contains("server --data - default");
        assertThat(Run.of("config", "show", "volume", "nonsense").code()).isEqualTo(ExitCode.USAGE);
        assertThat(Run.of("config", "show", "server", "--json").out()).contains("\"server --reserve\"");
    }

    /** A form of our own that nobody checks would be found when a service starts, and not before. */
    @Test
    void knowsTheFormOfAddressesAndSizes() {
        for (String service : new String[] {"server", "daemon", "csi", "docker-plugin"}) {
            CommandLine line = Farblock.commandLine().getSubcommands().get(service);
            for (OptionSpec option : line.getCommandSpec().options()) {
                if (option.paramLabel().contains("PORT")) {
                    assertThat(OptionForms.problem(option, "x")).contains("is no address");
                }
                if (option.paramLabel().contains("SIZE")) {
                    assertThat(OptionForms.problem(option, "x")).contains("is no size");
                }
            }
        }
    }
}
