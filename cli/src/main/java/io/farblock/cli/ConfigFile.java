package io.farblock.cli;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Values of options, in YAML: an option by its name without the dashes, for every command that has it or below the name of
 * the one that is meant. What makes no sense is told with its line, all of it at once.
 *
 * <pre>
 * tls: /etc/farblock/tls
 * server:
 *   data: /var/lib/farblock
 *   listen: 0.0.0.0:7070
 * </pre>
 */
final class ConfigFile {
    /** Read if it is there and no other one is named. */
    static final Path USUAL = Path.of("/etc/farblock/farblock.yaml");

    private final Path path;
    private final Map<String, Entry> entries = new TreeMap<>();
    private final List<String> faults = new ArrayList<>();

    /**
     * What the file says of an option.
     *
     * @param line counted from 1
     */
    record Entry(String value, int line) {}

    private ConfigFile(Path path) {
        this.path = path;
    }

    /**
     * Reads a file and compares it with what the command understands.
     *
     * @throws CommandException if there is anything in it that makes no sense
     */
    static ConfigFile read(Path path, CommandLine command) {
        ConfigFile file = new ConfigFile(path);
        try (Reader reader = Files.newBufferedReader(path)) {
            Node content = new Yaml(new LoaderOptions()).compose(reader);
            if (content != null) {
                file.add(content, command.getCommandSpec(), "");
            }
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
            file.faults.add(path + ":" + line + ": " + e.getProblem());
        } catch (YAMLException | IOException e) {
            // YAML's own is for what is no text, for what is nested without end, and for what the disk says.
            throw new CommandException(
                    ExitCode.USAGE, "the configuration " + path + " cannot be read: " + e.getMessage(), e);
        }
        if (!file.faults.isEmpty()) {
            throw new CommandException(ExitCode.USAGE, String.join("\nfarblock: ", file.faults));
        }
        return file;
    }

    /** What it says of an option of a command: below the command's name, below that of its parent, or for all; or null. */
    Entry find(String command, String option) {
        Entry found = entries.get(key(command, option));
        return found != null || command.isEmpty() ? found : find(parent(command), option);
    }

    private static String parent(String command) {
        return command.contains(" ") ? command.substring(0, command.lastIndexOf(' ')) : "";
    }

    private static String key(String command, String option) {
        return command + " --" + option;
    }

    /** How many options it says something of. */
    int size() {
        return entries.size();
    }

    /** Where it says that. */
    String place(Entry entry) {
        return path + ":" + entry.line();
    }

    private void add(Node node, CommandSpec command, String name) {
        if (!(node instanceof MappingNode section)) {
            fault(node, "here should be lines such as 'data: /var/lib/farblock'");
            return;
        }
        for (NodeTuple tuple : section.getValue()) {
            if (tuple.getKeyNode() instanceof ScalarNode key) {
                add(key, tuple.getValueNode(), command, name);
            } else {
                fault(tuple.getKeyNode(), "this is no name");
            }
        }
    }

    private void add(ScalarNode key, Node value, CommandSpec command, String name) {
        CommandLine subcommand = command.subcommands().get(key.getValue());
        if (subcommand != null && !(value instanceof ScalarNode)) {
            add(value, subcommand.getCommandSpec(), name.isEmpty() ? key.getValue() : name + " " + key.getValue());
            return;
        }
        OptionSpec option = option(key.getValue(), command);
        if (option == null) {
            fault(key, unknown(key.getValue(), command, name));
        } else if (!(value instanceof ScalarNode scalar) || scalar.getTag().equals(Tag.NULL)) {
            fault(key, "'" + key.getValue() + "' needs one value");
        } else {
            add(key, scalar, option, name);
        }
    }

    private void add(ScalarNode key, ScalarNode value, OptionSpec option, String name) {
        String problem = OptionForms.problem(option, value.getValue());
        if (problem != null) {
            fault(value, "'" + key.getValue() + "': " + problem);
        }
        Entry entry = new Entry(value.getValue(), line(key));
        Entry before = entries.putIfAbsent(key(name, key.getValue()), entry);
        if (before != null) {
            fault(key, "'" + key.getValue() + "' is there already, in line " + before.line());
        }
    }

    // For all commands: one that some command has.
    private static OptionSpec option(String name, CommandSpec command) {
        OptionSpec own = command.findOption("--" + name);
        if (own != null) {
            return Settings.isSettable(own) ? own : null;
        }
        return command.parent() != null
                ? null
                : command.subcommands().values().stream()
                        .flatMap(ConfigFile::all)
                        .filter(other -> other.findOption("--" + name) != null)
                        .map(other -> other.findOption("--" + name))
                        .filter(Settings::isSettable)
                        .findFirst()
                        .orElse(null);
    }

    private static Stream<CommandSpec> all(CommandLine command) {
        return Stream.concat(
                Stream.of(command.getCommandSpec()),
                command.getSubcommands().values().stream().flatMap(ConfigFile::all));
    }

    private static String unknown(String key, CommandSpec command, String name) {
        if (name.isEmpty()) {
            return "there is no command and no option '" + key + "'";
        }
        List<String> known = command.options().stream()
                .filter(Settings::isSettable)
                .map(option -> option.longestName().substring(2))
                .toList();
        return "'farblock " + name + "' has no option '" + key + "'; it has " + String.join(", ", known);
    }

    private static int line(Node node) {
        return node.getStartMark().getLine() + 1;
    }

    private void fault(Node node, String reason) {
        faults.add(path + ":" + line(node) + ": " + reason);
    }
}
