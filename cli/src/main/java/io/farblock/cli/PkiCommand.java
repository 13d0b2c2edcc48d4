package io.farblock.cli;

import io.farblock.cli.pki.Authority;
import io.farblock.cli.pki.PkiException;
import io.farblock.tls.Identity;
import io.farblock.tls.Role;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code farblock pki}: a private authority, and the certificates that the parts of an installation show each other. */
@Command(
        name = "pki",
        description = "Make the certificates that servers, nodes and administrators show each other.",
        footer = {
            "",
            "Each folder that is made goes to the machine whose it is, and is named there with --tls. Certificates that",
            "are renewed and lists of revoked ones are heeded a second after they were copied, without a restart.",
            "",
            "Examples:",
            "  farblock pki init --address storage.example.org --address 10.0.0.5",
            "  farblock pki issue node compute1",
            "  farblock pki revoke node compute1"
        })
final class PkiCommand {
    private static final String ROLE = "What it is for: server, node or admin.";
    private static final String NAME = "Whose it is: 1 to 64 of A-Z a-z 0-9 _ . -";
    private static final String DAYS = "For how long it is good; ${DEFAULT-VALUE} if not given.";

    /** As people write them. */
    enum RoleName {
        server,
        node,
        admin
    }

    /** What an authority is asked for. */
    private interface Work {
        Path run() throws PkiException;
    }

    @Option(
            names = "--pki",
            paramLabel = "FOLDER",
            scope = ScopeType.INHERIT,
            defaultValue = "${env:FARBLOCK_PKI:-farblock-pki}",
            description = "Where the authority is; FARBLOCK_PKI, else ${DEFAULT-VALUE}. Keep it safe: who has its key"
                    + " can be anybody.")
    private Path folder;

    @Spec
    private CommandSpec spec;

    @Command(description = "Make an authority, a certificate for a server and one for an administrator.")
    int init(
            @Option(
                            names = "--address",
                            paramLabel = "HOST",
                            description = "A name or address under which the server is reached, besides this machine's"
                                    + " name and localhost; as often as there are.")
                    List<String> addresses) {
        made(() -> {
            Authority authority = Authority.create(folder);
            authority.issue(new Identity(Role.SERVER, "storage"), reachable(addresses), Authority.VALIDITY);
            return authority.issue(new Identity(Role.ADMIN, "operator"), List.of(), Authority.VALIDITY);
        });
        PrintWriter out = spec.commandLine().getOut();
        out.println("made an authority in " + folder + ", and these:");
        out.println("  farblock server --tls " + folder.resolve("server-storage") + " ...");
        out.println("  farblock volume --tls " + folder.resolve("admin-operator") + " ...");
        return ExitCode.OK;
    }

    @Command(description = "Make a key and a certificate.")
    int issue(
            @Parameters(paramLabel = "ROLE", description = ROLE) RoleName role,
            @Parameters(paramLabel = "NAME", description = NAME) String name,
            @Option(
                            names = "--address",
                            paramLabel = "HOST",
                            description = "Of a server: a name or address under which it is reached, besides localhost;"
                                    + " as often as there are.")
                    List<String> addresses,
            @Option(names = "--days", paramLabel = "N", defaultValue = "365", description = DAYS) int days) {
        Identity identity = identity(role, name);
        List<String> reached = identity.role() == Role.SERVER ? reachable(addresses) : List.of();
        print("made ", made(() -> Authority.open(folder).issue(identity, reached, validity(days))));
        return ExitCode.OK;
    }

    @Command(description = "Make a certificate anew, with a new key: before the old one expires.")
    int renew(
            @Parameters(paramLabel = "ROLE", description = ROLE) RoleName role,
            @Parameters(paramLabel = "NAME", description = NAME) String name,
            @Option(names = "--days", paramLabel = "N", defaultValue = "365", description = DAYS) int days) {
        Identity identity = identity(role, name);
        print("renewed ", made(() -> Authority.open(folder).renew(identity, validity(days))));
        return ExitCode.OK;
    }

    @Command(
            description =
                    "Take a certificate back: a server that has the new crl.pem ends its connections, and accepts no"
                            + " more.")
    int revoke(
            @Parameters(paramLabel = "ROLE", description = ROLE) RoleName role,
            @Parameters(paramLabel = "NAME", description = NAME) String name) {
        Identity identity = identity(role, name);
        made(() -> {
            Authority.open(folder).revoke(identity);
            return folder;
        });
        print("revoked " + identity + "; copy this to the folder of each server: ", folder.resolve("crl.pem"));
        return ExitCode.OK;
    }

    private void print(String what, Path path) {
        spec.commandLine().getOut().println(what + path);
    }

    private static Path made(Work work) {
        try {
            return work.run();
        } catch (PkiException e) {
            throw new CommandException(ExitCode.FAILED, e.getMessage(), e);
        }
    }

    private static Identity identity(RoleName role, String name) {
        if (!Identity.isName(name)) {
            throw new CommandException(ExitCode.USAGE, "'" + name + "' is no name: 1 to 64 of A-Z a-z 0-9 _ . -");
        }
        return new Identity(Role.valueOf(role.name().toUpperCase(Locale.ROOT)), name);
    }

    private static Duration validity(int days) {
        if (days < 1) {
            throw new CommandException(ExitCode.USAGE, "--days is at least 1");
        }
        return Duration.ofDays(days);
    }

    private static List<String> reachable(List<String> addresses) {
        List<String> all = new ArrayList<>(List.of("localhost", "127.0.0.1", "::1"));
        try {
            all.add(InetAddress.getLocalHost().getHostName());
        } catch (UnknownHostException e) {
            // A machine without a name is reached under those that were given.
            return with(all, addresses);
        }
        return with(all, addresses);
    }

    private static List<String> with(List<String> all, List<String> addresses) {
        if (addresses != null) {
            all.addAll(addresses);
        }
        return all;
    }
}
