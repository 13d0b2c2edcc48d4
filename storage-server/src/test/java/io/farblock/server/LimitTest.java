package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.Limits;
import io.farblock.block.BlockStatus;
import io.farblock.wire.proto.Event;
import io.farblock.wire.proto.VolumeInfo;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Limits of volumes through the ports of a server. */
@Timeout(60)
class LimitTest {
    private static final int BLOCK = 4096;

    @TempDir
    Path directory;

    private StorageServer server;
    private Operator operator;

    @BeforeEach
    void start() throws StartupException {
        server = StorageServer.start(TestVolume.options(directory.resolve("data")), new Disk());
        operator = new Operator(server);
    }

    @AfterEach
    void stop() {
        operator.close();
        server.close();
    }

    private RawClient client() throws Exception {
        return new RawClient(server.dataAddress());
    }

    @Test
    void tellsClientsOfLimitsAndKeepsThem() throws Exception {
        operator.create("v1", false);
        try (RawClient writer = client()) {
            assertThat(writer.open(RawClient.hello("v1", "node-a")).getInfo().hasLimits())
                    .isFalse();

            operator.limit("v1", Limits.newBuilder().setReadsPerSecond(300));

            Event event = writer.receiveEvent();
            assertThat(event.getResized().getLimits().getReadsPerSecond()).isEqualTo(300);
            assertThat(event.getResized().getLimits().getBurstMillis()).isEqualTo(VolumeLimits.DEFAULT_BURST_MILLIS);
        }
        operator.limit("v1", Limits.newBuilder().setWriteBytesPerSecond(5000));
        stop();
        start();
        try (RawClient reader = client()) {
            VolumeInfo info = reader.open(RawClient.hello("v1", "reader").setReadOnly(true))
                    .getInfo();
            assertThat(info.getLimits().getReadsPerSecond()).isEqualTo(300);
            assertThat(info.getLimits().getWriteBytesPerSecond()).isEqualTo(5000);
            assertThat(operator.show("v1").getLimits().getReadsPerSecond()).isEqualTo(300);

            operator.limit("v1", Limits.newBuilder().setReadsPerSecond(0).setWriteBytesPerSecond(0));
            assertThat(reader.receiveEvent().getResized().hasLimits()).isFalse();
        }
        assertThat(operator.show("v1").hasLimits()).isFalse();
    }

    @Test
    void sendsBackWhatIsFarBeyondTheLimits() throws Exception {
        operator.create("v1", false);
        // So slow that no test takes long enough to earn another one after the slack.
        operator.limit("v1", Limits.newBuilder().setWritesPerSecond(1).setBurstMillis(0));
        try (RawClient writer = client()) {
            writer.open(RawClient.hello("v1", "node-a"));
            int done = 0;
            int sentBack = 0;
            for (int i = 0; i < 20; i++) {
                BlockStatus status = writer.write(0, new byte[BLOCK]);
                assertThat(status).isIn(BlockStatus.OK, BlockStatus.RETRY);
                done += status == BlockStatus.OK ? 1 : 0;
                sentBack += status == BlockStatus.RETRY ? 1 : 0;
            }
            assertThat(done).isPositive();
            assertThat(sentBack).isPositive();
            assertThat(writer.read(0, BLOCK)).hasSize(BLOCK);
            assertThat(writer.flush()).isEqualTo(BlockStatus.OK);
        }
    }

    @Test
    void refusesLimitsThatMakeNoSense() {
        operator.create("v1", false);
        operator.snapshot("v1", "s");

        assertThatThrownBy(() -> operator.limit("v1", Limits.newBuilder().setReadsPerSecond(-1)))
                .hasMessageContaining("below 0");
        assertThatThrownBy(() -> operator.limit("v1", Limits.newBuilder().setBurstMillis(Long.MAX_VALUE)))
                .hasMessageContaining("an hour");
        assertThatThrownBy(() -> operator.limit("v1@s", Limits.newBuilder().setReadsPerSecond(1)))
                .hasMessageContaining("is a snapshot");
    }
}
