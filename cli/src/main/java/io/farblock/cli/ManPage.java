package io.farblock.cli;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi.Text;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The manual page of a command: what its definition says, in the macros of man(7). */
final class ManPage {
    private static final String SECTION = "1";
    // A line of a page may be as long as it likes: what shows it folds it.
    private static final int WIDTH = 10_000;

    private final CommandSpec command;
    private final Help help;
    private final StringBuilder page = new StringBuilder();

    private ManPage(CommandLine line) {
        command = line.getCommandSpec();
        command.usageMessage().autoWidth(false).width(WIDTH);
        help = new Help(command, Help.defaultColorScheme(Help.Ansi.OFF));
    }

    /** The file that the page of a command is in. */
    static String fileName(CommandLine line) {
        return title(line.getCommandSpec()) + "." + SECTION;
    }

    /** The page of a command. */
    static String of(CommandLine line) {
        return new ManPage(line).write();
    }

    private static String title(CommandSpec command) {
        return command.qualifiedName("-");
    }

    private String write() {
        request(
                ".TH",
                title(command).toUpperCase(Locale.ROOT),
                SECTION,
                "",
                command.root().version()[0],
                "Farblock");
        // Not justified, and no word is broken: an option could not be told from its end otherwise.
        page.append(".ad l\n.nh\n");
        section("NAME");
        page.append(escaped(title(command)))
                .append(" \\- ")
                .append(escaped(inShort(command)))
                .append('\n');
        section("SYNOPSIS");
        text(help.synopsis(0).strip());
        section("DESCRIPTION");
        for (String paragraph : command.usageMessage().description()) {
            text(paragraph);
        }
        arguments();
        options();
        subcommands();
        notes();
        variables();
        exitCodes();
        seeAlso();
        return page.toString();
    }

    // What whatis(1) shows is one sentence.
    private static String inShort(CommandSpec command) {
        String all = String.join(" ", command.usageMessage().description());
        int end = all.indexOf(". ");
        return end < 0 ? all.replaceFirst("\\.$", "") : all.substring(0, end);
    }

    private void arguments() {
        List<PositionalParamSpec> arguments = command.positionalParameters().stream()
                .filter(argument -> !argument.hidden())
                .toList();
        if (!arguments.isEmpty()) {
            section("ARGUMENTS");
            for (PositionalParamSpec argument : arguments) {
                entry(argument.paramLabel());
                text(described(help.createDefaultParameterRenderer()
                        .render(argument, help.createDefaultParamLabelRenderer(), help.colorScheme())));
            }
        }
    }

    private void options() {
        section("OPTIONS");
        visibleOptions().forEach(option -> {
            Text[][] rendered = help.createDefaultOptionRenderer()
                    .render(option, help.createDefaultParamLabelRenderer(), help.colorScheme());
            String parameter =
                    rendered[0][3].plainString().substring(option.longestName().length());
            entry(String.join(", ", option.names()) + parameter);
            text(described(rendered));
        });
    }

    // The last column of each row, as in the help.
    private static String described(Text[][] rows) {
        return Stream.of(rows)
                .map(row -> row[row.length - 1].plainString())
                .collect(Collectors.joining(" "))
                .strip();
    }

    private Stream<OptionSpec> visibleOptions() {
        return command.options().stream().filter(option -> !option.hidden());
    }

    private void subcommands() {
        List<CommandSpec> visible = visible(command);
        if (!visible.isEmpty()) {
            section("COMMANDS");
            for (CommandSpec each : visible) {
                request(".TP");
                request(".BR", title(each), "(" + SECTION + ")");
                text(inShort(each) + ".");
            }
        }
    }

    private static List<CommandSpec> visible(CommandSpec command) {
        return command.subcommands().values().stream()
                .distinct()
                .map(CommandLine::getCommandSpec)
                .filter(each -> !each.usageMessage().hidden() && !each.helpCommand())
                .toList();
    }

    // Paragraphs, and examples below lines that end in a colon.
    private void notes() {
        String[] lines = command.usageMessage().footer();
        if (Stream.of(lines).allMatch(String::isBlank)) {
            return;
        }
        boolean isExample = false;
        page.append(lines.length > 1 && isHeading(lines[1]) ? "" : ".SH NOTES\n");
        for (String line : lines) {
            if (isExample != line.startsWith("  ")) {
                isExample = !isExample;
                request(isExample ? ".EX" : ".EE");
            }
            if (isHeading(line)) {
                section(line.substring(0, line.length() - 1).toUpperCase(Locale.ROOT));
            } else if (!line.isBlank()) {
                text(line);
            } else {
                request(".PP");
            }
        }
        page.append(isExample ? ".EE\n" : "");
    }

    private static boolean isHeading(String line) {
        return line.endsWith(":") && !line.startsWith(" ") && line.length() < 20;
    }

    private void variables() {
        section("ENVIRONMENT");
        text("Options that are not given are what these variables say, else what the configuration file says:"
                + " see farblock-config(1).");
        visibleOptions().filter(Settings::isSettable).forEach(option -> {
            entry(Settings.variables(option).collect(Collectors.joining(", ")));
            text(option.longestName());
        });
    }

    private void exitCodes() {
        section("EXIT STATUS");
        command.usageMessage().exitCodeList().forEach((code, meaning) -> {
            entry(code);
            text(meaning);
        });
    }

    private void seeAlso() {
        CommandSpec above = command.parent();
        section("SEE ALSO");
        text(above == null ? "The pages of the commands above." : title(above) + "(1)");
    }

    private void section(String name) {
        request(".SH", name);
    }

    private void entry(String term) {
        request(".TP");
        page.append("\\fB").append(escaped(term)).append("\\fR\n");
    }

    private void text(String line) {
        // A full stop in front would be a request.
        page.append("\\&").append(escaped(line)).append('\n');
    }

    private void request(String name, String... arguments) {
        page.append(name);
        for (String argument : arguments) {
            page.append(" \"").append(escaped(argument).replace("\"", "\\(dq")).append('"');
        }
        page.append('\n');
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\e")
                .replace("-", "\\-")
                .replace("'", "\\(aq")
                .replace("`", "\\(ga");
    }
}
