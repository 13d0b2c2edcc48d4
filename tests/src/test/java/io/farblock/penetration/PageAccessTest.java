package io.farblock.penetration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.Volume;
import io.farblock.cli.pki.Authority;
import io.farblock.dashboard.DashboardPort;
import io.farblock.tls.Identity;
import io.farblock.tls.LinkSecurity;
import io.farblock.tls.Role;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who sees what of a server in a browser, while the owner of a volume reads and writes it. */
@Timeout(60)
class PageAccessTest {
    private static final String MODERN = "TLSv1.3";
    private static final int FLOOD = 200;

    @TempDir
    Path folder;

    private SecureServer secure;
    private DashboardPort page;
    private LinkSecurity owner;
    private OwnersWork work;

    @BeforeEach
    void start() throws Exception {
        secure = new SecureServer(folder);
        page = DashboardPort.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), secure.links);
        page.serve(secure.server::overview);
        owner = secure.links(Role.NODE, "compute1");
        Volume unused = secure.admin(owner).createVolume(SecureServer.volume("mail"));
        work = new OwnersWork(secure.open(owner, "mail", false, false));
    }

    @AfterEach
    void nobodyWasHeldUp() throws Exception {
        work.awaitProgress();
        work.close();
        page.close();
        secure.close();
        owner.close();
    }

    private String ask(Path certificate, String path) throws Exception {
        try (Attacker browser = Attacker.shaking(page.address(), MODERN, certificate)) {
            browser.say(("GET " + path + " HTTP/1.1\r\nHost: storage\r\nConnection: close\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
            return new String(browser.socket().getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void everybodySeesWhatTheyMayRead() throws Exception {
        assertThat(ask(secure.folder(Role.ADMIN, "alice"), "/overview"))
                .startsWith("HTTP/1.1 200 ")
                .contains("\"caller\":\"admin alice\"", "\"name\":\"mail\"", "\"what\":\"create volume\"");
        assertThat(ask(secure.folder(Role.NODE, "compute2"), "/overview"))
                .startsWith("HTTP/1.1 200 ")
                .contains("\"caller\":\"node compute2\"", "\"volumes\":[]", "\"events\":[]")
                .doesNotContain("mail");
        assertThat(ask(secure.folder(Role.NODE, "compute3"), "/")).startsWith("HTTP/1.1 200 ");
    }

    @Test
    void nobodySeesAnythingWithoutAGoodCertificate() throws Exception {
        assertThatThrownBy(() -> ask(null, "/")).isInstanceOf(SSLException.class);
        Path foreign = Authority.create(folder.resolve("other"))
                .issue(new Identity(Role.ADMIN, "alice"), List.of(), Duration.ofDays(1));
        assertThatThrownBy(() -> ask(foreign, "/")).isInstanceOf(SSLException.class);
        Path good = secure.folder(Role.ADMIN, "alice");
        assertThatThrownBy(() -> Attacker.shaking(page.address(), "TLSv1.2", good))
                .isInstanceOf(SSLException.class);
        try (Attacker plain = Attacker.plain(page.address(), "127.0.0.1")) {
            plain.say("GET / HTTP/1.0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            assertThat(plain.awaitEnd()).isLessThan(20);
        }
    }

    @Test
    void aRevokedCertificateShowsNothingMore() throws Exception {
        Path revoked = secure.folder(Role.NODE, "compute3");
        try (Attacker browser = Attacker.shaking(page.address(), MODERN, revoked)) {
            assertThat(first(browser)).startsWith("HTTP/1.1 200 ");
            secure.authority.revoke(new Identity(Role.NODE, "compute3"));
            secure.links.refresh();
            assertThat(first(browser)).startsWith("HTTP/1.1 401 ");
        }
    }

    // The first line of an answer, after which the rest is read too.
    private static String first(Attacker browser) throws IOException {
        browser.say("GET /overview HTTP/1.1\r\nHost: storage\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) browser.listen());
        }
        int at = head.indexOf("content-length: ") + "content-length: ".length();
        int length = Integer.parseInt(head.substring(at, head.indexOf("\r\n", at)));
        assertThat(browser.socket().getInputStream().readNBytes(length)).hasSize(length);
        return head.toString();
    }

    @Test
    void aFloodOfConnectionsHoldsUpNobodyWhoReadsAndWrites() throws Exception {
        List<Socket> flood = new ArrayList<>();
        for (int i = 0; i < FLOOD; i++) {
            flood.add(new Socket(page.address().getAddress(), page.address().getPort()));
        }
        work.awaitProgress();
        for (Socket each : flood) {
            each.close();
        }
    }
}
