package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.farblock.tls.LinkSecurity;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.cert.CRL;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The authority by its commands, what its certificates are good for, and what is said when something is wrong. */
class PkiCommandTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @TempDir
    Path work;

    private Run pki(String... arguments) {
        String[] all = new String[arguments.length + 3];
        all[0] = "pki";
        System.arraycopy(arguments, 0, all, 1, arguments.length);
        all[arguments.length + 1] = "--pki";
        all[arguments.length + 2] = authority().toString();
        return Run.of(all);
    }

    private Path authority() {
        return work.resolve("pki");
    }

    private static void assertWorks(Run run) {
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.err()).isEmpty();
    }

    private static void assertFails(Run run, int code, String... says) {
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.err().lines()).as(run.err()).hasSize(1);
        assertThat(run.err()).startsWith("farblock: ").contains(says);
    }

    @Test
    void makesWhatASecureInstallationNeeds() throws Exception {
        assertWorks(pki("init"));
        assertWorks(pki("issue", "node", "compute1"));
        Path server = authority().resolve("server-storage");
        assertThat(Files.getPosixFilePermissions(server.resolve("tls.key")))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));
        assertThat(Files.getPosixFilePermissions(authority().resolve("ca.key")))
                .isEqualTo(PosixFilePermissions.fromString("rw-------"));

        try (LinkSecurity links = LinkSecurity.mutual(server);
                StorageServer started = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT)
                        .withLinks(links))) {
            String admin = "127.0.0.1:" + started.adminAddress().getPort();
            String data = "127.0.0.1:" + started.dataAddress().getPort();
            String operator = authority().resolve("admin-operator").toString();
            String node = authority().resolve("node-compute1").toString();
            String[] create = {
                "volume", "create", "mail", "--size", "1M", "--owner", "compute1", "--admin", admin, "--tls", operator
            };
            assertWorks(Run.of(create));
            assertWorks(Run.of("volume", "show", "mail", "--admin", admin, "--tls", node));
            assertFails(Run.of("volume", "list", "--admin", admin), ExitCode.FAILED, "closed");
            String[] give = {"volume", "set", "mail", "--owner", "compute2", "--admin", admin, "--tls", node};
            assertFails(Run.of(give), ExitCode.REFUSED, "only an administrator");
            String[] take = {"volume", "set", "mail", "--owner", "compute2", "--admin", admin, "--tls", operator};
            assertThat(Run.of(take).out()).contains("owners of mail: compute2");
            assertFails(Run.of("bench", "mail", "--server", data, "--tls", node), ExitCode.REFUSED, "may not read");
        }
    }

    /** Nobody is to start a second server because the first one wants another kind of connection. */
    @Test
    void saysThatTheTwoEndsDoNotAgree() throws Exception {
        assertWorks(pki("init"));
        Path elsewhere = work.resolve("elsewhere");
        assertWorks(Run.of("pki", "init", "--pki", elsewhere.toString()));
        String operator = authority().resolve("admin-operator").toString();
        String stranger = elsewhere.resolve("admin-operator").toString();
        try (StorageServer plain = StorageServer.start(ServerOptions.of(work.resolve("plain"), ANY_PORT, ANY_PORT));
                LinkSecurity links = LinkSecurity.mutual(authority().resolve("server-storage"));
                StorageServer secure = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT)
                        .withLinks(links))) {
            assertFails(list(plain, "--tls", operator), ExitCode.FAILED, "TLS");
            assertFails(list(secure, "--tls", stranger), ExitCode.FAILED, "TLS");
            // Whether the end of the connection or the loss of what was sent is seen first is for chance to say.
            for (int i = 0; i < 50; i++) {
                assertFails(list(secure), ExitCode.FAILED, "closed");
            }
        }
    }

    private static Run list(StorageServer server, String... options) {
        List<String> line = new ArrayList<>(List.of(
                "volume",
                "list",
                "--admin",
                "127.0.0.1:" + server.adminAddress().getPort()));
        line.addAll(List.of(options));
        return Run.of(line.toArray(new String[0]));
    }

    @Test
    void renewsAndRevokes() throws Exception {
        assertWorks(pki("init"));
        assertWorks(pki("issue", "node", "compute1"));
        Path certificate = authority().resolve("node-compute1/tls.crt");
        String before = Files.readString(certificate);
        assertWorks(pki("renew", "node", "compute1"));
        assertThat(Files.readString(certificate)).isNotEqualTo(before);
        String list = Files.readString(authority().resolve("server-storage/crl.pem"));

        assertWorks(pki("revoke", "node", "compute1"));
        assertThat(certificate).doesNotExist();
        assertThat(Files.readString(authority().resolve("server-storage/crl.pem")))
                .isNotEqualTo(list)
                .isEqualTo(Files.readString(authority().resolve("crl.pem")));
        assertWorks(pki("issue", "node", "compute1"));
    }

    @Test
    void revokesEverythingThatWasEverIssued() throws Exception {
        assertWorks(pki("init"));
        assertWorks(pki("issue", "node", "compute1"));
        assertWorks(pki("issue", "node", "compute2"));
        List<X509Certificate> made = new ArrayList<>(List.of(certificate("node-compute1")));
        assertWorks(pki("renew", "node", "compute1"));
        made.add(certificate("node-compute1"));
        assertWorks(pki("renew", "node", "compute1"));
        made.add(certificate("node-compute1"));
        // The folder has gone to the machine whose it is.
        Files.move(authority().resolve("node-compute1"), work.resolve("elsewhere"));

        assertWorks(pki("revoke", "node", "compute1"));
        try (InputStream list = Files.newInputStream(authority().resolve("server-storage/crl.pem"))) {
            CRL revoked = CertificateFactory.getInstance("X.509").generateCRL(list);
            assertThat(made).hasSize(3).allMatch(revoked::isRevoked);
            assertThat(revoked.isRevoked(certificate("node-compute2"))).isFalse();
        }
        assertFails(pki("revoke", "node", "compute1"), ExitCode.FAILED, "no certificate");
    }

    private X509Certificate certificate(String end) throws Exception {
        try (InputStream file = Files.newInputStream(authority().resolve(end).resolve("tls.crt"))) {
            return (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(file);
        }
    }

    @Test
    void saysWhatIsWrong() {
        assertFails(pki("issue", "node", "a"), ExitCode.FAILED, "no authority", "farblock pki init");
        assertWorks(pki("init"));
        assertFails(pki("init"), ExitCode.FAILED, "already");
        assertFails(pki("issue", "node", "a/b"), ExitCode.USAGE, "'a/b' is no name");
        assertFails(pki("issue", "node", "a", "--days", "0"), ExitCode.USAGE, "--days");
        assertFails(pki("issue", "admin", "operator"), ExitCode.FAILED, "renew");
        assertFails(pki("renew", "node", "nobody"), ExitCode.FAILED, "no certificate");
        assertFails(pki("revoke", "node", "nobody"), ExitCode.FAILED, "no certificate");
    }

    /** With TLS nobody asks for it: what is said in plain HTTP stays on the machine, also if somebody insists. */
    @Test
    void refusesPlainMetricsBesideSecureLinks() {
        assertWorks(pki("init"));
        String server = authority().resolve("server-storage").toString();
        String data = work.resolve("data").toString();
        assertFails(
                Run.of("server", "--data", data, "--tls", server, "--metrics", "192.0.2.1:9070"),
                ExitCode.USAGE,
                "--metrics is plain HTTP",
                "give 127.0.0.1:9070");
        assertThat(Path.of(data)).doesNotExist();
    }

    @Test
    void refusesLinksThatAnybodyCouldListenTo() {
        String data = work.resolve("data").toString();
        assertFails(
                Run.of("server", "--data", data, "--listen", "0.0.0.0:0", "--admin", "127.0.0.1:0"),
                ExitCode.FAILED,
                "--tls",
                "--insecure");
        assertFails(Run.of("volume", "list", "--admin", "192.0.2.1:7071"), ExitCode.USAGE, "192.0.2.1:7071", "--tls");
        assertFails(
                Run.of("server", "--data", data, "--metrics", "192.0.2.1:9070"),
                ExitCode.USAGE,
                "192.0.2.1",
                "--insecure");
        assertFails(Run.of("daemon", "--metrics", "192.0.2.1:9071"), ExitCode.USAGE, "192.0.2.1", "--insecure");
        assertFails(
                Run.of("server", "--data", data, "--page", "192.0.2.1:9072"),
                ExitCode.USAGE,
                "--page: 192.0.2.1:9072",
                "--tls FOLDER");
        assertFails(Run.of("bench", "mail", "--server", "192.0.2.1:7070"), ExitCode.USAGE, "192.0.2.1:7070", "--tls");
        assertFails(Run.of("volume", "list", "--tls", data), ExitCode.FAILED, "there is no", "farblock pki");
        assertFails(Run.of("volume", "list", "--tls", data, "--insecure"), ExitCode.USAGE, "contradict");
    }
}
