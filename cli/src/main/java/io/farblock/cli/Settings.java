package io.farblock.cli;

import java.lang.reflect.AnnotatedElement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/**
 * What options are that the command line does not name: of the environment, else of the configuration file, else what
 * their definition says.
 *
 * <p>Each option has a variable, such as FARBLOCK_SERVER_CHECKSUM_MEMORY for that of {@code farblock server}; those that are
 * the same for several commands have a shorter one as well, which their help names. A variable that is empty counts for
 * nothing.
 */
final class Settings implements IDefaultValueProvider {
    private static final Pattern VARIABLE = Pattern.compile("\\$\\{env:([A-Z_]+)(?::-([^}]*))?}");
    // What destroys something, or takes it from somebody, is for whoever says so in that very call.
    private static final List<String> OF_ONE_CALL =
            List.of("--help", "--version", "--config", "--force", "--destroy-data", "--take-over");

    private final Map<String, String> environment;
    private final ConfigFile file;

    /** @param file null for none */
    Settings(Map<String, String> environment, ConfigFile file) {
        this.environment = environment;
        this.file = file;
    }

    /**
     * A value and where it is from.
     *
     * @param origin the name of the variable, or the place in the file
     */
    record Setting(String value, String origin) {}

    @Override
    public String defaultValue(ArgSpec argument) {
        Setting setting = argument instanceof OptionSpec option ? find(option) : null;
        return setting == null ? null : setting.value();
    }

    /** What is set, or null if the definition counts. */
    Setting find(OptionSpec option) {
        if (!isSettable(option)) {
            return null;
        }
        return variables(option)
                .filter(name -> !environment.getOrDefault(name, "").isEmpty())
                .map(name -> new Setting(environment.get(name), name))
                .findFirst()
                .orElseGet(() -> inFile(option));
    }

    private Setting inFile(OptionSpec option) {
        ConfigFile.Entry entry = file == null
                ? null
                : file.find(name(option.command()), option.longestName().substring(2));
        return entry == null ? null : new Setting(entry.value(), file.place(entry));
    }

    /** Those that may set an option, the one for this command alone first. */
    static Stream<String> variables(OptionSpec option) {
        String own = name(option.command()) + " " + option.longestName().substring(2);
        Matcher shared = VARIABLE.matcher(defined(option));
        String longName = "FARBLOCK_" + own.strip().toUpperCase(Locale.ROOT).replaceAll("[ -]", "_");
        return shared.find() ? Stream.of(longName, shared.group(1)) : Stream.of(longName);
    }

    /** The command's name without "farblock". */
    static String name(CommandSpec command) {
        String all = command.qualifiedName();
        return all.contains(" ") ? all.substring(all.indexOf(' ') + 1) : "";
    }

    /** Whether a file or a variable can say what an option is. */
    static boolean isSettable(OptionSpec option) {
        return option.longestName().startsWith("--") && !OF_ONE_CALL.contains(option.longestName()) && !option.hidden();
    }

    /** The file that a call or the environment names, else the usual one if it is there, else null. */
    static Path file(List<String> arguments, Map<String, String> environment) {
        for (int i = 0; i < arguments.size(); i++) {
            if (arguments.get(i).startsWith("--config=")) {
                return Path.of(arguments.get(i).substring("--config=".length()));
            }
            if (arguments.get(i).equals("--config") && i + 1 < arguments.size()) {
                return Path.of(arguments.get(i + 1));
            }
        }
        String named = environment.getOrDefault("FARBLOCK_CONFIG", "");
        if (!named.isEmpty()) {
            return Path.of(named);
        }
        return Files.exists(ConfigFile.USUAL) ? ConfigFile.USUAL : null;
    }

    /** What an option is that nothing else says; empty for nothing. */
    static String usual(OptionSpec option) {
        Matcher shared = VARIABLE.matcher(defined(option));
        if (shared.matches()) {
            return Objects.requireNonNullElse(shared.group(2), "");
        }
        return Objects.requireNonNullElse(option.defaultValue(), OptionForms.isFlag(option) ? "false" : "");
    }

    // As it stands in the source: picocli itself has put the variable's value in by now.
    private static String defined(OptionSpec option) {
        Option source = ((AnnotatedElement) option.userObject()).getAnnotation(Option.class);
        return source == null ? "" : source.defaultValue();
    }
}
