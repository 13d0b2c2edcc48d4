package io.farblock.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * Loads the classes of the server, the daemon and the commands, for the launcher, which has the virtual machine keep
 * them in an archive: a start then costs about a third less.
 */
@Command(name = "class-data", hidden = true, description = "Load what the other commands load.")
final class ClassDataCommand implements Callable<Integer> {
    @Parameters(paramLabel = "DIRECTORY", description = "An empty directory.")
    private Path directory;

    @Override
    public Integer call() throws Exception {
        Rehearsal.run(directory);
        return ExitCode.OK;
    }
}
