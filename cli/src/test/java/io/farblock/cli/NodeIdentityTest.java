package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class NodeIdentityTest {
    private static final Path SOCKET = Path.of("/run/farblock/daemon.sock");

    @Test
    void isTheSameAfterARestart() {
        assertThat(NodeIdentity.ofThisHost(SOCKET)).isEqualTo(NodeIdentity.ofThisHost(SOCKET));
        assertThat(NodeIdentity.ofThisHost(SOCKET).name()).isNotEmpty();
    }

    @Test
    void differsForTwoDaemonsOfOneMachine() {
        assertThat(NodeIdentity.ofThisHost(Path.of("/run/other/daemon.sock")).id())
                .isNotEqualTo(NodeIdentity.ofThisHost(SOCKET).id());
    }
}
