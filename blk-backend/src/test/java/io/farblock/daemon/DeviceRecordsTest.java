package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.farblock.api.node.DevicePhase;
import io.farblock.api.node.DeviceRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceRecordsTest {
    @TempDir
    Path directory;

    private DeviceRecords records;

    @BeforeEach
    void open() throws IOException {
        records = new DeviceRecords(directory);
    }

    private static DeviceRecord record(int takeovers) {
        return DeviceRecord.newBuilder().setTakeovers(takeovers).build();
    }

    @Test
    void keepsTheLastOfEachNameForTheNextDaemon() throws IOException {
        records.save("mail", record(1));
        records.save("backup.tmp", record(2));
        records.save("mail", record(3));

        assertThat(new DeviceRecords(directory).all())
                .containsOnlyKeys("backup.tmp", "mail")
                .containsEntry("mail", record(3));
    }

    @Test
    void changesWhatIsThere() throws IOException {
        records.save("mail", record(1));

        records.update(
                "mail",
                before -> before.toBuilder()
                        .setPhase(DevicePhase.DEVICE_PHASE_DETACHING)
                        .build());

        assertThat(records.all().get("mail").getPhase()).isEqualTo(DevicePhase.DEVICE_PHASE_DETACHING);
        assertThat(records.all().get("mail").getTakeovers()).isEqualTo(1);
    }

    @Test
    void doesNotBringBackWhatWasRemoved() throws IOException {
        records.save("mail", record(1));
        records.remove("mail");

        records.update(
                "mail",
                before -> before.toBuilder().setWelcome(ByteString.EMPTY).build());

        assertThat(records.all()).isEmpty();
    }

    @Test
    void leavesAFileAloneThatIsNoRecord() throws IOException {
        Files.write(directory.resolve("mail"), new byte[] {1, 2, 3});
        records.save("backup", record(1));

        assertThat(records.all()).containsOnlyKeys("backup");
        assertThat(directory.resolve("mail")).exists();
    }

    @Test
    void doesNotTakeWhatWasHalfWrittenForARecord() throws IOException {
        Files.write(directory.resolve(".mail"), record(1).toByteArray());

        assertThat(records.all()).isEmpty();
    }
}
