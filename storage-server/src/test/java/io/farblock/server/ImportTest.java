package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.VolumeState;
import io.farblock.block.BlockStatus;
import io.farblock.wire.proto.RefusalCode;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A volume that somebody fills. */
@Timeout(60)
class ImportTest {
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
    void isNobodysButTheImportersUntilItIsWhole() throws Exception {
        operator.createForImport("v1", RawClient.hello("v1", "importer").getClientId());
        try (RawClient importer = client()) {
            importer.open(RawClient.hello("v1", "importer"));
            assertThat(importer.write(0, new byte[BLOCK])).isEqualTo(BlockStatus.OK);
            assertThat(importer.flush()).isEqualTo(BlockStatus.OK);
        }
        stop();
        start();
        assertThat(operator.show("v1").getState()).isEqualTo(VolumeState.VOLUME_STATE_IMPORTING);
        try (RawClient other = client()) {
            assertThat(other.openRefused(RawClient.hello("v1", "node-a").setReadOnly(true))
                            .getCode())
                    .isEqualTo(RefusalCode.REFUSAL_CODE_VOLUME_FAILED);
        }
        assertThatThrownBy(() -> operator.snapshot("v1", "s")).hasMessageContaining("not whole");

        operator.finishImport("v1");
        assertThat(operator.show("v1").getState()).isEqualTo(VolumeState.VOLUME_STATE_READY);
        try (RawClient reader = client()) {
            reader.open(RawClient.hello("v1", "node-a").setReadOnly(true));
            assertThat(reader.read(0, BLOCK)).hasSize(BLOCK);
        }
    }

    @Test
    void canBeTakenAwayAfterItsImporterIsGone() throws Exception {
        operator.createForImport("v1", RawClient.hello("v1", "importer").getClientId());
        try (RawClient importer = client()) {
            importer.open(RawClient.hello("v1", "importer"));
            assertThatThrownBy(() -> operator.delete("v1")).hasMessageContaining("in use by importer");
        }
        operator.awaitHolderAway("v1");

        operator.delete("v1");
        assertThat(operator.names()).isEmpty();
    }
}
