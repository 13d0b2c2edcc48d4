package io.farblock.cli;

import com.google.protobuf.MessageOrBuilder;
import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What every command that shows something takes: {@code --json}. */
final class Output {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(names = "--json", description = "Print JSON for a script instead of text for a person.")
    private boolean json;

    /** Prints for a person what is not part of the result; a script that reads the result does not see it. */
    void explain(String text) {
        if (!json) {
            command.commandLine().getErr().print(text);
            command.commandLine().getErr().flush();
        }
    }

    /** Prints one of the two forms of a result. */
    void print(MessageOrBuilder message, String text) {
        PrintWriter out = command.commandLine().getOut();
        out.print(json ? Json.text(message) : text);
        out.flush();
    }
}
