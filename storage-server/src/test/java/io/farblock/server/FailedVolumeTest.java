package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CheckVolumeRequest;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.block.BlockStatus;
import io.farblock.linux.Errno;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A volume whose disk has failed a sync, and those who are connected to it. */
@Timeout(60)
class FailedVolumeTest {
    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private StorageServer server;
    private ManagedChannel channel;
    private AdminGrpc.AdminBlockingStub admin;

    @BeforeEach
    void start() throws StartupException {
        server = StorageServer.start(TestVolume.options(directory.resolve("data")), disk);
        channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        admin = AdminGrpc.newBlockingStub(channel);
        admin.createVolume(CreateVolumeRequest.newBuilder()
                .setName("v1")
                .setSizeBytes(1 << 20)
                .build());
    }

    @AfterEach
    void stop() {
        disk.releaseAll();
        channel.shutdownNow();
        server.close();
    }

    @Test
    void endsEveryConnectionOfBeforeTheFailureBeforeItServesAgain() throws IOException, InterruptedException {
        Hello.Builder hello = RawClient.hello("v1", "node-a");
        try (RawClient before = new RawClient(server.dataAddress());
                RawClient meanwhile = new RawClient(server.dataAddress());
                RawClient after = new RawClient(server.dataAddress())) {
            long verifier = before.open(hello).getDurabilityVerifier();
            assertThat(before.write(0, new byte[4096])).isEqualTo(BlockStatus.OK);
            disk.syncErrno = Errno.EIO;
            assertThat(before.flush()).isEqualTo(BlockStatus.IO_ERROR);
            disk.syncErrno = 0;

            FaultyDisk.Stall reading = disk.stallReads();
            Thread check = new Thread(() -> admin.checkVolume(
                    CheckVolumeRequest.newBuilder().setName("v1").build()));
            check.start();
            reading.awaitEntered();
            before.awaitEnd();
            assertThat(meanwhile.openRefused(hello.setIncarnation(2)).getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_VOLUME_FAILED);
            reading.release();
            check.join();

            assertThat(after.open(hello.setIncarnation(3)).getDurabilityVerifier())
                    .isNotEqualTo(verifier);
            assertThat(after.flush()).isEqualTo(BlockStatus.OK);
        }
    }
}
