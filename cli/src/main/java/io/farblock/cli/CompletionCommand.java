package io.farblock.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code farblock completion}: what a shell needs to complete commands and options, from their own definitions. */
@Command(
        name = "completion",
        description = "Print what bash or zsh needs to complete the commands and options of farblock.",
        footer = {
            "",
            "Examples:",
            "  source <(farblock completion)                                        # for this shell",
            "  farblock completion > /usr/share/bash-completion/completions/farblock   # for everybody"
        })
final class CompletionCommand implements Callable<Integer> {
    @Spec
    private CommandSpec command;

    @Override
    public Integer call() {
        PrintWriter out = command.commandLine().getOut();
        // Of all commands: of this process's only the one that was called is known.
        out.print(AutoComplete.bash("farblock", Farblock.commandLine()));
        out.flush();
        return ExitCode.OK;
    }
}
