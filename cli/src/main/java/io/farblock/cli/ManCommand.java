package io.farblock.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code farblock man}: the manual, from the definitions of the commands themselves. */
@Command(
        name = "man",
        description = "Write the pages of the manual to a folder, one for each command.",
        footer = {"", "Example:", "  farblock man /usr/local/share/man/man1 && man farblock-volume-create"})
final class ManCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FOLDER", description = "Where they go; made if it is not there.")
    private Path folder;

    @Override
    public Integer call() {
        try {
            Files.createDirectories(folder);
            // Of all commands: of this process's only the one that was called is known.
            write(Farblock.commandLine());
        } catch (IOException e) {
            throw new CommandException(ExitCode.FAILED, "the manual cannot be written: " + e, e);
        }
        return ExitCode.OK;
    }

    private void write(CommandLine line) throws IOException {
        if (line.getCommandSpec().usageMessage().hidden()
                || line.getCommandSpec().helpCommand()) {
            return;
        }
        Files.writeString(folder.resolve(ManPage.fileName(line)), ManPage.of(line));
        // A command that has several names is there once for each.
        for (CommandLine subcommand : line.getSubcommands().values()) {
            write(subcommand);
        }
    }
}
