package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Model.OptionSpec;

/** What systemd starts is a command line that makes sense, as its unit has it and with what can be taken away. */
class UnitFilesTest {
    private static final Path UNITS = Path.of("..", "packaging", "systemd");
    private static final String COMMAND = "ExecStart=/usr/local/bin/farblock ";

    static List<Path> units() throws IOException {
        try (Stream<Path> files = Files.list(UNITS)) {
            return files.filter(file -> file.toString().endsWith(".service"))
                    .sorted()
                    .toList();
        }
    }

    private static String command(Path unit) throws IOException {
        List<String> commands = Files.readAllLines(unit).stream()
                .filter(line -> line.startsWith("ExecStart="))
                .toList();
        assertThat(commands).hasSize(1).allMatch(line -> line.startsWith(COMMAND));
        return commands.get(0).substring(COMMAND.length());
    }

    private static Map<String, String> environment(Path unit) throws IOException {
        Map<String, String> environment = new HashMap<>();
        for (String line : Files.readAllLines(unit)) {
            if (line.startsWith("Environment=")) {
                for (String assignment : line.substring("Environment=".length()).split(" ", -1)) {
                    String[] parts = assignment.split("=", 2);
                    environment.put(parts[0], parts[1]);
                }
            }
        }
        return environment;
    }

    @ParameterizedTest
    @MethodSource("units")
    void startsWhatExists(Path unit) throws Exception {
        String arguments = command(unit);

        assertThat(arguments).doesNotContain("$");
        assertThatCode(() -> Farblock.commandLine().parseArgs(arguments.split(" ", -1)))
                .as(arguments)
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @MethodSource("units")
    void setsVariablesThatCountForWhatItStarts(Path unit) throws Exception {
        String command = command(unit).split(" ", 2)[0];
        List<OptionSpec> options = Farblock.commandLine()
                .getSubcommands()
                .get(command)
                .getCommandSpec()
                .options();
        Map<String, String> environment = environment(unit);

        assertThat(environment).isNotEmpty();
        environment.forEach((name, value) -> {
            OptionSpec option = options.stream()
                    .filter(each -> Settings.variables(each).anyMatch(name::equals))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError(command + " asks for no " + name));
            assertThat(OptionForms.problem(option, value)).as(name).isNull();
        });
    }
}
