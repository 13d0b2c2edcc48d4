package io.farblock.kernel.vhost;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.Target;
import io.farblock.kernel.Node;
import io.farblock.kernel.Packages;
import io.farblock.kernel.Shell;
import java.io.IOException;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A volume under drivers that are not ours: libblkio's alone, and under a Linux guest in QEMU. */
@Timeout(900)
class QemuTest {
    private static final long SIZE_BYTES = 64L << 20;

    private static Node node;

    @BeforeAll
    static void startServerAndDaemon() throws Exception {
        KernelWithVhost.require();
        var unused = Packages.folder("qemu");
        node = new Node();
        var unusedVolume = node.create("guest", SIZE_BYTES, 4096);
    }

    @AfterAll
    static void stopServerAndDaemon() throws Exception {
        if (node != null) {
            if (!node.device("guest").getName().isEmpty()) {
                node.detach("guest");
            }
            node.delete("guest");
            node.close();
        }
    }

    private static Device attach(Target target) {
        return node.attach(AttachRequest.newBuilder().setVolume("guest"), target);
    }

    private static Shell.Result qemu(String... words) throws IOException, InterruptedException {
        return Shell.run(Packages.script("qemu") + " "
                + Arrays.stream(words).map(word -> "\"" + word + "\"").collect(Collectors.joining(" ")));
    }

    private static String must(String... words) throws IOException, InterruptedException {
        Shell.Result result = qemu(words);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output();
    }

    @Test
    void isADiskForALinuxGuestAndForLibblkio() throws Exception {
        Device device = attach(Target.TARGET_VM);
        assertThat(must("io", device.getPath(), "write -P 0x41 0 4096", "read -P 0x41 0 4096", "flush"))
                .contains("wrote 4096/4096", "read 4096/4096")
                .doesNotContain("failed");
        assertThat(qemu("io", device.getPath(), "read -P 0x42 0 4096").output())
                .contains("Pattern verification failed");

        String script = """
                cat /sys/block/vda/size
                dd if=/dev/vda bs=4096 count=1 iflag=direct status=none | head -c 4; echo
                echo from the guest | dd of=/dev/vda bs=4096 seek=1 conv=sync,fsync status=none
                dd if=/dev/vda bs=4096 skip=1 count=1 iflag=direct status=none | head -c 14; echo
                """;
        assertThat(must("guest", device.getPath(), script).lines())
                .containsSubsequence(Long.toString(SIZE_BYTES / 512), "AAAA", "from the guest");
        node.detach("guest");

        String disk = attach(Target.TARGET_HOST).getPath();
        assertThat(Shell.must("dd if=" + disk + " bs=4096 skip=1 count=1 iflag=direct status=none | head -c 14"))
                .isEqualTo("from the guest");
    }
}
