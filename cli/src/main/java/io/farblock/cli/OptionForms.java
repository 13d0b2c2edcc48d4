package io.farblock.cli;

import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** Whether an option can have a value, without running its command. */
final class OptionForms {
    private OptionForms() {}

    /** Why it cannot, or null. Names of hosts are looked up. */
    static String problem(OptionSpec option, String value) {
        if (isFlag(option)) {
            return value.equals("true") || value.equals("false") ? null : "write true or false";
        }
        OptionSpec alone = OptionSpec.builder(option.longestName())
                .paramLabel(option.paramLabel())
                .type(option.type())
                .converters(option.converters())
                .arity("1")
                .build();
        try {
            new CommandLine(CommandSpec.create().addOption(alone)).parseArgs(option.longestName(), value);
            checkLabel(option.paramLabel(), value);
            return null;
        } catch (ParameterException | CommandException e) {
            return e.getMessage();
        }
    }

    static boolean isFlag(OptionSpec option) {
        return option.arity().max() == 0;
    }

    // The label that a user reads says the form of what has one of our own.
    private static void checkLabel(String label, String value) {
        if (label.equals("HOST:PORT")) {
            var unused = Endpoint.parse(value);
        } else if (label.equals("SIZE")) {
            var unused = Size.parse(value);
        }
    }
}
