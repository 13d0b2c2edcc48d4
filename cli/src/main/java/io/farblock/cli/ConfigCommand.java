package io.farblock.cli;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code farblock config}: what options are when the command line does not name them, and from where. */
@Command(
        name = "config",
        description = "Check the configuration file, and show what every option is and why.",
        subcommands = CommandLine.HelpCommand.class,
        footer = {
            "",
            "An option that the command line does not name is what the environment says, else the configuration file,",
            "else its default. The file is YAML: an option by its name, for all commands or below one of them:",
            "",
            "  tls: /etc/farblock/tls",
            "  server:",
            "    data: /var/lib/farblock",
            "    listen: 0.0.0.0:7070",
            "",
            "Of the environment 'farblock server' has FARBLOCK_SERVER_DATA and so on."
        })
final class ConfigCommand {
    private static final List<String> SERVICES = List.of("server", "daemon", "csi", "docker-plugin");

    @Spec
    private CommandSpec command;

    @Command(description = "Say what is wrong in a configuration file, with its line.")
    int check(
            @Parameters(
                            paramLabel = "FILE",
                            arity = "0..1",
                            description = "The file; the one that --config or FARBLOCK_CONFIG names if not given, else"
                                    + " /etc/farblock/farblock.yaml.")
                    Path file) {
        Path checked = file == null ? farblock().configuration() : file;
        if (checked == null) {
            throw new CommandException(ExitCode.USAGE, "there is no " + ConfigFile.USUAL + ": name the file");
        }
        ConfigFile content = ConfigFile.read(checked, Farblock.commandLine());
        command.commandLine().getOut().println(checked + " is right, it sets " + content.size() + " options");
        return ExitCode.OK;
    }

    @Command(description = "Show what every option of a command is when it is not named, and where that comes from.")
    int show(
            @Parameters(
                            paramLabel = "COMMAND",
                            arity = "0..2",
                            description = "Such as server, or volume create; the services if not given.")
                    List<String> names,
            @Mixin Output output) {
        CommandLine all = Farblock.commandLine();
        Settings settings = farblock().settings();
        Table table = new Table("COMMAND", "OPTION", "VALUE", "FROM");
        Struct.Builder json = Struct.newBuilder();
        for (CommandLine one :
                names == null ? SERVICES.stream().map(all.getSubcommands()::get).toList() : List.of(find(all, names))) {
            for (OptionSpec option : one.getCommandSpec().options()) {
                if (Settings.isSettable(option)) {
                    add(option, settings, table, json);
                }
            }
        }
        output.print(json, table.text());
        return ExitCode.OK;
    }

    private Farblock farblock() {
        return (Farblock) command.root().userObject();
    }

    private static CommandLine find(CommandLine all, List<String> names) {
        CommandLine found = all;
        for (String name : names) {
            found = found.getSubcommands().get(name);
            if (found == null) {
                throw new CommandException(
                        ExitCode.USAGE, "there is no command 'farblock " + String.join(" ", names) + "'");
            }
        }
        return found;
    }

    private static void add(OptionSpec option, Settings settings, Table table, Struct.Builder json) {
        Settings.Setting setting = settings.find(option);
        String name = Settings.name(option.command());
        String value = setting != null ? setting.value() : Settings.usual(option);
        String from = setting != null ? setting.origin() : "default";
        table.row(name, option.longestName(), value, from);
        Struct.Builder each = Struct.newBuilder()
                .putFields("value", Value.newBuilder().setStringValue(value).build())
                .putFields("from", Value.newBuilder().setStringValue(from).build());
        json.putFields(
                (name + " " + option.longestName()).strip(),
                Value.newBuilder().setStructValue(each).build());
    }
}
