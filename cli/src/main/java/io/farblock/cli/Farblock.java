package io.farblock.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/** The {@code farblock} command. */
@Command(
        name = "farblock",
        description = "Block devices for containers and virtual machines whose data lives on another machine.",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        versionProvider = Farblock.Version.class,
        sortOptions = false,
        usageHelpAutoWidth = true,
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:failed; for 'doctor', something that is needed is broken",
            "2:the command line, or a value in it, makes no sense",
            "3:the server or the daemon cannot be reached",
            "4:no such volume or device",
            "5:in use, taken, or not allowed as things are"
        })
public final class Farblock {
    private static final Set<String> WITHOUT_CONFIGURATION =
            Set.of("-h", "--help", "-V", "--version", "help", "config", "completion", "man", "class-data");

    /** The first thing that a newcomer may try; the launcher knows the two that are not Java. */
    private static final String[] FIRST_STEPS = {
        "",
        "First steps:",
        "  farblock demo                       show the whole thing here, then clean up",
        "  farblock server --data DIRECTORY    on the storage machine",
        "  farblock volume create mail --size 1G",
        "  farblock daemon                     on the machine with the device, as root",
        "  farblock attach mail                prints /dev/vdX",
        "  farblock doctor                     says what is missing, and how to mend it"
    };

    @Option(
            names = {"-v", "--verbose"},
            scope = ScopeType.INHERIT,
            description = "Log more, and show where an error came from.")
    private boolean verbose;

    // Settings#file reads it before anything is parsed: it says what options are that are not named.
    @SuppressWarnings("UnusedVariable")
    @Option(
            names = "--config",
            scope = ScopeType.INHERIT,
            paramLabel = "FILE",
            description =
                    "What options are that are not named; FARBLOCK_CONFIG, else /etc/farblock/farblock.yaml if it is"
                            + " there. See 'farblock config'.")
    private Path config;

    @Option(
            names = "--log-format",
            scope = ScopeType.INHERIT,
            paramLabel = "text|json",
            defaultValue = "${env:FARBLOCK_LOG_FORMAT:-text}",
            description = "How the log on standard error is written: lines, or an object of JSON a line;"
                    + " FARBLOCK_LOG_FORMAT, else text.")
    private LogFormat logFormat;

    private Path configuration;

    /** What {@code --version} says. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Farblock.class.getPackage().getImplementationVersion();
            return new String[] {"farblock " + (version == null ? "development" : version)};
        }
    }

    private Farblock() {}

    /** Runs the command and ends the process with an {@link ExitCode}. */
    public static void main(String[] arguments) {
        System.exit(run(writer(System.out), writer(System.err), arguments));
    }

    private static PrintWriter writer(PrintStream stream) {
        return new PrintWriter(stream, true, StandardCharsets.UTF_8);
    }

    /** Runs the command in this process. */
    static int run(PrintWriter out, PrintWriter err, String... arguments) {
        Farblock command = new Farblock();
        CommandLine line = CommandTree.called(command, List.of(arguments));
        line.getCommandSpec().usageMessage().footer(FIRST_STEPS);
        line.setOut(out);
        line.setErr(err);
        line.setExecutionStrategy(parsed -> command.execute(parsed));
        line.setParameterExceptionHandler(Farblock::explainUsage);
        line.setExecutionExceptionHandler((failure, failed, parsed) -> command.explain(failure, failed));
        command.configuration = Settings.file(List.of(arguments), System.getenv());
        try {
            // Help is to be had whatever is wrong, and what is wrong is what 'config' tells.
            boolean isNeeded = arguments.length > 0 && !WITHOUT_CONFIGURATION.contains(arguments[0]);
            line.setDefaultValueProvider(isNeeded ? command.settings() : new Settings(System.getenv(), null));
            return line.execute(arguments);
        } catch (CommandException e) {
            return command.explain(e, line);
        }
    }

    /** The configuration file that counts, or null. */
    Path configuration() {
        return configuration;
    }

    /** What environment and configuration file say; ends the command if the file makes no sense. */
    Settings settings() {
        return new Settings(
                System.getenv(), configuration == null ? null : ConfigFile.read(configuration, commandLine()));
    }

    /** The command with everything that can be called. */
    static CommandLine commandLine() {
        return CommandTree.whole(new Farblock());
    }

    private int execute(ParseResult parsed) {
        if (verbose) {
            ((Logger) LoggerFactory.getLogger("io.farblock")).setLevel(Level.DEBUG);
        }
        if (logFormat != LogFormat.text) {
            LogSetup.write(logFormat);
        }
        return new CommandLine.RunLast().execute(parsed);
    }

    private static int explainUsage(ParameterException failure, String[] arguments) {
        CommandLine line = failure.getCommandLine();
        PrintWriter err = line.getErr();
        String message = failure.getMessage().lines().findFirst().orElse("not understood");
        err.println("farblock: " + message + "; see " + line.getCommandSpec().qualifiedName() + " --help");
        CommandLine.UnmatchedArgumentException.printSuggestions(failure, err);
        return ExitCode.USAGE;
    }

    private int explain(Exception failure, CommandLine line) {
        PrintWriter err = line.getErr();
        boolean expected = failure instanceof CommandException;
        if (expected) {
            err.println("farblock: " + failure.getMessage());
        } else {
            err.println("farblock: a mistake in farblock itself; please report it with what follows");
        }
        if (verbose || !expected) {
            failure.printStackTrace(err);
        }
        return expected ? ((CommandException) failure).exitCode() : ExitCode.FAILED;
    }
}
