package io.farblock.cli;

import io.farblock.tls.CredentialsException;
import io.farblock.tls.LinkSecurity;
import java.nio.file.Path;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** How the connections of a command are secured. */
final class LinkOptions {
    @Option(
            names = "--tls",
            paramLabel = "FOLDER",
            scope = ScopeType.INHERIT,
            defaultValue = "${env:FARBLOCK_TLS}",
            description =
                    "Use TLS, with the certificates in this folder, which 'farblock pki' makes; FARBLOCK_TLS if not"
                            + " given. Without it, only addresses of this machine are used.")
    private Path folder;

    @Option(
            names = "--insecure",
            scope = ScopeType.INHERIT,
            defaultValue = "${env:FARBLOCK_INSECURE:-false}",
            description = "Use plain TCP with other machines too: whoever is on the network can read and change"
                    + " everything.")
    private boolean insecure;

    private LinkSecurity opened;

    /** As the options say; the same each time, until the process ends. */
    LinkSecurity security() {
        if (folder != null && insecure) {
            throw new CommandException(ExitCode.USAGE, "--tls and --insecure contradict each other: leave one out");
        }
        if (opened == null) {
            opened = folder == null ? plain() : mutual();
        }
        return opened;
    }

    private LinkSecurity plain() {
        return insecure ? LinkSecurity.INSECURE : LinkSecurity.LOOPBACK_ONLY;
    }

    private LinkSecurity mutual() {
        try {
            return LinkSecurity.mutual(folder);
        } catch (CredentialsException e) {
            throw new CommandException(ExitCode.FAILED, e.getMessage(), e);
        }
    }
}
