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

    /** Of assignments in quotes: what has several words. */
    private static Map<String, String> environment(Path unit) throws IOException {
        Map<String, String> environment = new HashMap<>();
        for (String line : Files.readAllLines(unit)) {
            if (line.startsWith("Environment=\"")) {
                String[] assignment = line.substring("Environment=\"".length(), line.length() - 1)
                        .split("=", 2);
                environment.put(assignment[0], assignment[1]);
            }
        }
        return environment;
    }

    @ParameterizedTest
    @MethodSource("units")
    void startsWhatExists(Path unit) throws Exception {
        Map<String, String> environment = environment(unit);
        String with = command(unit);
        String without = with;
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            assertThat(with).contains("$" + variable.getKey());
            with = with.replace("$" + variable.getKey(), variable.getValue());
            without = without.replace("$" + variable.getKey(), "");
        }
        for (String arguments : List.of(with, without)) {
            assertThat(arguments).doesNotContain("$");
            assertThatCode(() ->
                            Farblock.commandLine().parseArgs(arguments.strip().split(" +")))
                    .as(arguments)
                    .doesNotThrowAnyException();
        }
    }
}
