package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a check says of layers that are not there, or that two volumes take for their own. */
class LayerReferencesTest {
    private static final String STRANGER = "0b4b1d22-8d5b-4d5c-9c39-2d6f3a1be001";

    @TempDir
    Path directory;

    private final Disk disk = new Disk();
    private LayeredHost host;

    @BeforeEach
    void open() throws Exception {
        host = new LayeredHost(disk, directory.resolve("data"));
        var unused = host.catalogue.create(TestVolume.record(64 << 20, 4096));
        host.snapshot("v1", "s");
        copy();
    }

    private void copy() throws Exception {
        var unused = host.table.copy(
                new SnapshotName("v1", "s"),
                VolumeRecord.newBuilder().setName("v2").build());
    }

    @AfterEach
    void close() {
        host.kill();
    }

    private List<String> faults(String name) throws Exception {
        return LayerReferences.faults(host.catalogue, disk, host.catalogue.find(name));
    }

    private LayerRecord layer(String name, int index) throws VolumeException {
        return Layers.of(host.catalogue.find(name)).get(index);
    }

    @Test
    void saysNothingOfWhatIsRight() throws Exception {
        assertThat(faults("v1")).isEmpty();
        assertThat(faults("v2")).isEmpty();
    }

    @Test
    void namesFilesThatAreGone() throws Exception {
        Path top = host.catalogue.volumes().resolve(layer("v1", 1).getUuid());
        Path lowest = host.catalogue.volumes().resolve(layer("v1", 0).getUuid());
        Files.delete(top.resolve("map"));
        Files.delete(lowest.resolve("data.000"));

        assertThat(faults("v1"))
                .containsExactly(
                        lowest.resolve("data.000") + " is gone: the volume does not open again",
                        top.resolve("map") + " is gone: the volume does not open again");
        assertThat(faults("v2")).isEmpty();
    }

    @Test
    void namesALayerThatTwoVolumesTakeForTheirOwn() throws Exception {
        LayerRecord top = layer("v1", 1);
        var unused = host.catalogue.update("v2", record -> record.setLayers(1, top));

        assertThat(faults("v1")).containsExactly("layer " + top.getUuid() + " belongs to volume v2 as well");
        assertThat(faults("v2")).containsExactly("layer " + top.getUuid() + " belongs to volume v1 as well");
    }

    @Test
    void namesASnapshotOfALayerThatTheVolumeHasNot() throws Exception {
        var unused = host.catalogue.update(
                "v1",
                record -> record.setSnapshots(
                        0, record.getSnapshots(0).toBuilder().setLayer(STRANGER)));

        assertThat(faults("v1"))
                .containsExactly("snapshot s is of layer " + STRANGER + ", which is none of the volume's");
        assertThat(faults("v2"))
                .containsExactly(
                        "layer " + layer("v2", 0).getUuid() + " is borrowed, and no volume has it in a snapshot");
    }
}
