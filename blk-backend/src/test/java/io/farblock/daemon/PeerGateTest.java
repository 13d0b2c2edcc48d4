package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.grpc.ServerServiceDefinition;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Other users of the machine, at a socket whose mode lets everybody in. */
@Timeout(120)
class PeerGateTest {
    private static final int ANSWERED = 7;
    private static final String NOBODY = "65534";
    private static final String GROUP = "4242";
    // A server of HTTP/2 speaks first.
    private static final String PROBE = """
            class Probe {
                public static void main(String[] socket) throws Exception {
                    try (var server = java.nio.channels.SocketChannel.open(
                            java.net.UnixDomainSocketAddress.of(socket[0]))) {
                        System.exit(server.read(java.nio.ByteBuffer.allocate(9)) > 0 ? 7 : 8);
                    }
                }
            }
            """;

    @TempDir
    Path folder;

    private Path socket;

    @BeforeEach
    void letEverybodyIntoTheFolder() throws Exception {
        assumeTrue(Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0), "only root can be somebody else");
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/setpriv")), "there is no setpriv");
        socket = folder.resolve("socket");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path unused = Files.writeString(folder.resolve("Probe.java"), PROBE);
    }

    @Test
    void answersTheDaemonsOwnUserOnly() throws Exception {
        try (NodeServer server = started(null)) {
            assertThat(server).isNotNull();
            try (SocketChannel own = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                assertThat(own.read(ByteBuffer.allocate(9))).isPositive();
            }
            assertThat(isAnswered("--regid", GROUP, "--groups", "0")).isFalse();
        }
    }

    @Test
    void answersTheMembersOfAGroup() throws Exception {
        try (NodeServer server = started(GROUP)) {
            assertThat(server).isNotNull();
            assertThat(isAnswered("--regid", GROUP, "--clear-groups")).isTrue();
            assertThat(isAnswered("--regid", NOBODY, "--groups", "1,2," + GROUP))
                    .isTrue();
            assertThat(isAnswered("--regid", NOBODY, "--groups", "0,1,2")).isFalse();
        }
    }

    private NodeServer started(String group) throws Exception {
        NodeServer server = new NodeServer(
                socket, group, () -> ServerServiceDefinition.builder("nothing").build());
        server.start();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                .isEqualTo(group == null ? "rw-------" : "rw-rw----");
        Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rwxrwxrwx"));
        return server;
    }

    private boolean isAnswered(String... groups) throws Exception {
        List<String> command = new ArrayList<>(List.of("setpriv", "--reuid", NOBODY));
        command.addAll(List.of(groups));
        command.addAll(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "Probe.java", "socket"));
        Process probe = new ProcessBuilder(command).directory(folder.toFile()).start();
        String said = new String(probe.getErrorStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        int code = probe.waitFor();
        // 1 is an exception: the connection was reset before it was read from.
        assertThat(code == 1 ? said : "").doesNotContain("error:").doesNotContain("Could not");
        return code == ANSWERED;
    }
}
