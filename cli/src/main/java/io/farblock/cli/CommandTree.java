package io.farblock.cli;

import java.lang.reflect.Method;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;

/**
 * What can be called, in the order of the help. Of a call only the branch is made that leads to its command: reading what
 * all of them declare takes longer than most of them run.
 */
final class CommandTree {
    private static final List<Class<?>> COMMANDS = List.of(
            ServerCommand.class,
            DaemonCommand.class,
            VolumeCommand.class,
            AttachCommand.class,
            DetachCommand.class,
            StatusCommand.class,
            TopCommand.class,
            BenchCommand.class,
            DoctorCommand.class,
            PkiCommand.class,
            CsiCommand.class,
            DockerPluginCommand.class,
            ConfigCommand.class,
            CompletionCommand.class,
            ManCommand.class,
            ClassDataCommand.class,
            HelpCommand.class);

    private static final List<Class<?>> VOLUME_COMMANDS = List.of(
            SnapshotCommand.class,
            VolumeSetCommand.class,
            VolumeExportCommand.class,
            VolumeImportCommand.class,
            VolumeDiffCommand.class,
            VolumeTopCommand.class);

    private CommandTree() {}

    /** The command with everything that can be called. */
    static CommandLine whole(Farblock command) {
        return called(command, List.of());
    }

    /** The command with what its arguments call: of its subcommands and of those of "volume" the one that is named, or all. */
    static CommandLine called(Farblock command, List<String> arguments) {
        CommandLine line = new CommandLine(command);
        // What follows "help" is a command as well.
        List<String> words = word(arguments, 0).equals("help") ? List.of() : arguments;
        for (Class<?> type : named(COMMANDS.stream(), word(words, 0))) {
            line.addSubcommand(type == VolumeCommand.class ? volume(word(words, 1)) : type);
        }
        return line;
    }

    private static CommandLine volume(String word) {
        CommandLine line = new CommandLine(new VolumeCommand());
        Stream<Method> methods = CommandLine.getCommandMethods(VolumeCommand.class, null).stream()
                .sorted(Comparator.comparing(Method::getName));
        for (Object subcommand : named(Stream.concat(VOLUME_COMMANDS.stream(), methods), word)) {
            line.addSubcommand(name(subcommand), subcommand);
        }
        return line;
    }

    private static String word(List<String> arguments, int index) {
        return index < arguments.size() ? arguments.get(index) : "";
    }

    private static <T> List<T> named(Stream<T> commands, String word) {
        List<T> all = commands.toList();
        return all.stream()
                .filter(command -> name(command).equals(word))
                .findFirst()
                .map(List::of)
                .orElse(all);
    }

    // A class says its name, a method is called as it is named.
    private static String name(Object command) {
        return command instanceof Class<?> type
                ? type.getAnnotation(Command.class).name()
                : ((Method) command).getName();
    }
}
