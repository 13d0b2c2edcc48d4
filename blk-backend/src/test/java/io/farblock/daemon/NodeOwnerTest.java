package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeOwnerTest {
    @TempDir
    Path work;

    private static AttachRequest.Builder vm() {
        return AttachRequest.newBuilder().setVolume("mail").setTarget(Target.TARGET_VM);
    }

    private Path node() throws Exception {
        Path node = Files.createFile(work.resolve("vhost-vdpa-0"));
        return Files.setPosixFilePermissions(node, PosixFilePermissions.fromString("rw-------"));
    }

    private static String permissions(Path node) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(node));
    }

    @Test
    void leavesTheNodeAsItIsIfNobodyIsNamed() throws Exception {
        Path node = node();
        NodeOwner.of(vm().build()).own(node.toString());
        assertThat(permissions(node)).isEqualTo("rw-------");
    }

    @Test
    void letsTheGroupOpenTheNode() throws Exception {
        Path node = node();
        String group = Files.getAttribute(node, "unix:gid").toString();
        NodeOwner.of(vm().setGroup(group).build()).own(node.toString());
        assertThat(permissions(node)).isEqualTo("rw-rw----");
    }

    @Test
    void letsOnlyTheUserOpenTheNodeIfThereIsNoGroup() throws Exception {
        Path node = node();
        String user = Files.getOwner(node).getName();
        NodeOwner.of(vm().setUser(user).build()).own(node.toString());
        assertThat(permissions(node)).isEqualTo("rw-------");
        assertThat(Files.getOwner(node).getName()).isEqualTo(user);
    }

    @Test
    void refusesWhomTheMachineDoesNotKnow() {
        assertThatThrownBy(() -> NodeOwner.of(vm().setGroup("no-such-group").build()))
                .isInstanceOf(DaemonException.class)
                .hasMessageContaining(":no-such-group'");
    }

    @Test
    void refusesToGiveADiskOfThisMachineAway() {
        AttachRequest request = AttachRequest.newBuilder()
                .setTarget(Target.TARGET_HOST)
                .setUser("root")
                .build();
        assertThatThrownBy(() -> NodeOwner.of(request)).hasMessageContaining("only a device for a virtual machine");
    }
}
