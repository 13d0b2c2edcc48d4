package io.farblock.kernel.vhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Target;
import io.farblock.kernel.Node;
import io.farblock.kernel.SharedNode;
import io.farblock.kernel.Shell;
import io.farblock.kernel.vhost.BlkDriver.Form;
import io.farblock.kernel.vhost.DriverRing.Piece;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A volume of a storage server as the disk of a virtual machine, attached by the command as operators do. */
@Timeout(300)
@ExtendWith(SharedNode.class)
class VmAttachTest {
    private static final long SIZE_BYTES = 64L << 20;
    private static final int QUEUES = 2;
    private static final int BLOCK_BYTES = 4096;

    private static Node node;

    @BeforeAll
    static void take(Node shared) {
        KernelWithVhost.require();
        node = shared;
        // Answers when it is up.
        node.create("vm", SIZE_BYTES, BLOCK_BYTES);
        assertThat(node.device("vm").getName()).isEmpty();
    }

    @AfterAll
    static void delete() {
        if (node != null) {
            node.delete("vm");
        }
    }

    @AfterEach
    void detachIfATestHasFailed() {
        if (!node.device("vm").getName().isEmpty()) {
            node.detach("vm");
        }
    }

    private static String attach(Target target) {
        return node.attach(AttachRequest.newBuilder().setVolume("vm"), target).getPath();
    }

    private static Shell.Result farblock(String arguments) throws Exception {
        return Shell.run("FARBLOCK_SOCKET=" + node.socket() + " " + Node.launcher() + " " + arguments);
    }

    private static void write(VmMachine machine, long sector, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        machine.at(VmMachine.HIGH_IOVA, bytes.length).put(0, bytes);
        BlkDriver driver = machine.driver(1);
        Piece data = new Piece(VmMachine.HIGH_IOVA, BLOCK_BYTES, false);
        assertThat(driver.finish(driver.write(sector, Form.INDIRECT, List.of(data))))
                .isZero();
        assertThat(driver.finish(driver.start(BlkDriver.FLUSH, 0, Form.DIRECT, List.of())))
                .isZero();
    }

    private static String read(VmMachine machine, long sector, int length) throws IOException {
        BlkDriver driver = machine.driver(0);
        Piece data = new Piece(VmMachine.LOW_DATA, BLOCK_BYTES, true);
        assertThat(driver.finish(driver.read(sector, Form.DIRECT, List.of(data))))
                .isZero();
        byte[] bytes = new byte[length];
        machine.at(VmMachine.LOW_DATA, length).get(0, bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    @Test
    void movesAVolumeFromAMachineToTheHostAndBack() throws Exception {
        String path = attach(Target.TARGET_VM);
        assertThat(path).startsWith("/dev/vhost-vdpa-");
        try (VmMachine machine = VmMachine.running(path, QUEUES)) {
            write(machine, 8, "from the machine");
        }
        node.detach("vm");

        String disk = attach(Target.TARGET_HOST);
        assertThat(disk).startsWith("/dev/vd");
        assertThat(Shell.must("dd if=" + disk + " bs=4096 skip=1 count=1 iflag=direct status=none | head -c 16"))
                .isEqualTo("from the machine");
        Shell.must("printf 'from the host' | dd of=" + disk + " bs=4096 seek=2 conv=sync oflag=direct status=none");
        node.detach("vm");

        try (VmMachine machine = VmMachine.running(attach(Target.TARGET_VM), QUEUES)) {
            assertThat(read(machine, 16, 13)).isEqualTo("from the host");
        }
        node.detach("vm");
    }

    @Test
    void givesTheNodeToAUserAndAGroupAndSaysHowItIsUsed() throws Exception {
        Shell.Result attached = farblock(
                "attach vm --vm --user nobody --group 3 --server " + node.dataAddress() + " --json > /tmp/attach.json");
        assertThat(attached.status()).as(attached.output()).isZero();
        String path = Shell.must("jq -r .path /tmp/attach.json");
        assertThat(Shell.must("stat -c '%U %g %a' " + path)).isEqualTo("nobody 3 660");
        assertThat(Shell.must("jq -r .target /tmp/attach.json")).isEqualTo("TARGET_VM");
        assertThat(Shell.must("jq -r '.hypervisor_options | .qemu, .libvirt, .cloud_hypervisor' /tmp/attach.json"))
                .contains(
                        "share=on",
                        "driver=virtio-blk-vhost-vdpa,node-name=disk,path=" + path,
                        "<source dev='" + path + "'/>",
                        "shared=on --vdpa path=" + path);
        node.detach("vm");

        AttachRequest.Builder unknown =
                AttachRequest.newBuilder().setVolume("vm").setUser("no-such-user");
        assertThatThrownBy(() -> node.attach(unknown, Target.TARGET_VM))
                .isInstanceOf(StatusRuntimeException.class)
                .hasMessageContaining("does not know the user or group of 'no-such-user:'");
        assertThat(node.device("vm").getName()).isEmpty();
    }

    @Test
    void leavesAMachineItsDiskAndSurvivesTheDaemonUnderIt() throws Exception {
        String path = attach(Target.TARGET_VM);
        try (VmMachine machine = VmMachine.running(path, QUEUES)) {
            write(machine, 0, "before the kill");
            for (boolean force : new boolean[] {false, true}) {
                assertThatThrownBy(() -> detach(force))
                        .isInstanceOf(StatusRuntimeException.class)
                        .hasMessageContaining(path + " is open in java (process "
                                + ProcessHandle.current().pid());
            }
            assertThat(read(machine, 0, 15)).isEqualTo("before the kill");

            node.restartDaemon(false);
            assertThat(read(machine, 0, 15)).isEqualTo("before the kill");
            write(machine, 0, "after the kill.");
            assertThat(read(machine, 0, 15)).isEqualTo("after the kill.");
            assertThat(node.device("vm").getState()).isEqualTo("running");
        }
        node.detach("vm");
    }

    private static void detach(boolean force) {
        if (force) {
            node.detachByForce("vm");
        } else {
            node.detach("vm");
        }
    }

    @Test
    void saysThatAMachineSharesNoMemory() throws Exception {
        String path = attach(Target.TARGET_VM);
        try (VmMachine machine = VmMachine.withoutSharedMemory(path, QUEUES)) {
            machine.run(new int[QUEUES]);
            Await.until("it is shown", () -> node.device("vm").getExplanation().contains("shares no memory"));
            // It finds more, such as no server at the usual port.
            farblock("doctor --json > /tmp/doctor.json");
            assertThat(Shell.must("jq -r '.checks[] | select(.check == \"device vm\") | .severity' /tmp/doctor.json"))
                    .isEqualTo("problem");
        }
        try (VmMachine machine = VmMachine.running(path, QUEUES)) {
            write(machine, 0, "shared");
            assertThat(read(machine, 0, 6)).isEqualTo("shared");
            assertThat(node.device("vm").getExplanation()).isEmpty();
        }
        node.detach("vm");
    }
}
