package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class MergePlanTest {
    private static VolumeRecord record(List<String> snapshotsOf, String merging, String... layers) {
        VolumeRecord.Builder record = VolumeRecord.newBuilder();
        for (String layer : layers) {
            record.addLayers(LayerRecord.newBuilder().setUuid(layer).setMerging(layer.equals(merging)));
        }
        for (String layer : snapshotsOf) {
            record.addSnapshots(
                    SnapshotRecord.newBuilder().setName("of-" + layer).setLayer(layer));
        }
        return record.build();
    }

    @Test
    void mergesTheLowestPairOfWhichNoSnapshotIsLeft() {
        MergePlan plan = MergePlan.of(record(List.of("b"), "", "a", "b", "c", "d"));

        assertThat(plan.index()).isZero();
        assertThat(plan.upper().getUuid()).isEqualTo("b");
        assertThat(MergePlan.of(record(List.of("a", "b", "c"), "", "a", "b", "c", "d")))
                .isNull();
    }

    @Test
    void leavesBorrowedLayersAlone() {
        VolumeRecord clone = record(List.of(), "", "a", "b", "c", "d").toBuilder()
                .setBorrowedLayers(2)
                .build();

        assertThat(MergePlan.of(clone).index()).isEqualTo(2);
        assertThat(MergePlan.of(clone).concerns(clone)).isFalse();
        assertThat(MergePlan.of(record(List.of("b"), "", "a", "b", "c")).concerns(clone))
                .isTrue();
    }

    @Test
    void expectsTornPagesInBothLayersOfAMergeAndAboveTheLastSnapshot() {
        VolumeRecord merging = record(List.of("b"), "b", "a", "b", "c");
        VolumeRecord still = record(List.of("b"), "", "a", "b", "c");

        assertThat(MergePlan.mayBeTorn(merging, 0)).isTrue();
        assertThat(MergePlan.mayBeTorn(merging, 1)).isTrue();
        assertThat(MergePlan.mayBeTorn(still, 0)).isFalse();
        assertThat(MergePlan.mayBeTorn(still, 1)).isFalse();
        assertThat(MergePlan.mayBeTorn(still, 2)).isTrue();
    }
}
