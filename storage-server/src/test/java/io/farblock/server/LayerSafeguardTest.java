package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import io.farblock.mutation.SourceChange;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * Takes one safeguard at a time out of the store of layers, compiles it, and expects a seed of {@link LayerModelSuite} to go
 * wrong.
 */
@Tag("tests-of-tests")
class LayerSafeguardTest {
    // Most are found within twenty.
    private static final int SEEDS = Boolean.getBoolean("farblock.long") ? 500 : 50;
    private static final int SEEDS_WITH_ALL = 10;
    private static final long FIRST_SEED = 1;
    private static final List<String> LOADED_ANEW = List.of("io.farblock.server.");

    @TempDir
    Path classes;

    /** Something without which data is lost, and what makes it so. */
    record Safeguard(String name, SourceChange change) {
        @Override
        public String toString() {
            return name;
        }
    }

    @BeforeAll
    static void saysNothingOfTheFaultsThatAreMeant() {
        ((Logger) LoggerFactory.getLogger("io.farblock")).setLevel(Level.OFF);
    }

    /** Every fourth one, since each takes seconds; all of them with {@code --long}. */
    static List<Safeguard> chosen() {
        List<Safeguard> all = safeguards();
        int step = Boolean.getBoolean("farblock.long") ? 1 : 4;
        return IntStream.range(0, all.size())
                .filter(i -> i % step == step - 1)
                .mapToObj(all::get)
                .toList();
    }

    private static List<Safeguard> safeguards() {
        List<Safeguard> all = new ArrayList<>();
        addSyncs(all);
        addMapFile(all);
        addBlockMap(all);
        addSnapshots(all);
        addMerge(all);
        addSizes(all);
        addSums(all);
        return all;
    }

    private static void addSyncs(List<Safeguard> all) {
        without(
                all,
                "the data before the map that names it",
                "Layers",
                "int result = unreadable ? -Errno.EIO : 0;",
                """
                int result = unreadable ? -Errno.EIO : 0;
                for (int i = 1; i < now.count() && result == 0; i++) {
                    result = now.layer(i).map().write(pages.get(i));
                }
                """);
        without(
                all,
                "the lower map before the upper one",
                "Layers",
                "for (int i = 1; i < now.count(); i++) {\n            if (result == 0) {",
                "for (int i = now.count() - 1; i > 0; i--) {\n            if (result == 0) {");
        without(all, "the sync of the data", "Layers", "result = now.layer(i).syncData();", "result = 0;");
        without(
                all,
                "the sync of what a killed server wrote",
                "VolumeFiles",
                "            dirty.set(i, 1);\n            count",
                "            count");
        without(all, "the wait of durable writes", "FileTask", "if (mustSync()) {", "if (false) {");
        without(
                all,
                "another verifier after a kill",
                "FileVolume",
                "catalogue.update(record.getName(), VolumeRecord.Builder::clearClosedMapLife);",
                "");
    }

    private static void addMapFile(List<Safeguard> all) {
        without(
                all,
                "the other half for each page",
                "MapFile",
                "(durable.get(index) ? 0 : MapPage.BYTES)",
                "(durable.get(index) ? MapPage.BYTES : 0)");
        without(all, "the turn of the halves", "MapFile", "            changed.keySet().forEach(durable::flip);\n", "");
        without(
                all,
                "the sync of the map",
                "MapFile",
                "            result = disk.syncData(file.number());",
                "            result = 0;");
        without(
                all,
                "the sync of pages that a killed server wrote",
                "MapFile",
                "int result = settled ? 0 : disk.syncData(file.number());",
                "int result = 0;");
        without(all, "a higher generation for each page", "MapFile", "            lastGeneration++;\n", "");
        without(
                all,
                "generations that go on after a start",
                "MapFile",
                "        lastGeneration = Math.max(lastGeneration, Math.max(first, second));\n",
                "");
        without(all, "the mending of torn halves", "MapFile", "if (isTorn && mends) {", "if (false) {");
    }

    private static void addBlockMap(List<Safeguard> all) {
        without(
                all,
                "the copy of the rest of a block",
                "Layers",
                "if (result == 0 && map != null && (offset & IN_BLOCK) != 0) {",
                "if (false) {");
        without(
                all,
                "nothing beyond the end of the lowest layer",
                "Layers",
                "        empty.clearFrom(chain.layer(0).sizeBytes());\n",
                "");
        without(
                all,
                "nothing beyond the old end of a volume that grew",
                "BlockMap",
                "        grown.clearFrom(blocks << BLOCK_SHIFT);\n",
                "");
        without(
                all,
                "zeros in the data where no map says them",
                "Layers",
                "return map != null && chain.target().map() == null;",
                "return false;");
    }

    private static void addSnapshots(List<Safeguard> all) {
        without(
                all,
                "the sync of what a snapshot holds",
                "FileVolume",
                "        syncNow();\n        settleBelow();",
                "        settleBelow();");
        without(
                all,
                "the pages of the layer that is laid over",
                "Layers",
                "        } else {\n            stageChanges();\n        }",
                "        }");
        without(all, "the look for clones", "Snapshots", "if (isCloneOf(other, top)) {", "if (false) {");
        without(
                all,
                "the note of a layer that is being made",
                "Snapshots",
                "changed -> changed.setFreshLayer(id)",
                "changed -> changed");
    }

    private static void addMerge(List<Safeguard> all) {
        without(
                all,
                "the snapshots that need a layer",
                "MergePlan",
                "        record.getSnapshotsList().forEach(snapshot -> needed.add(snapshot.getLayer()));\n",
                "");
        without(all, "the clones that need a layer", "Snapshots", "if (plan.concerns(other)) {", "if (false) {");
        without(
                all,
                "a new look after others were there",
                "MergeGate",
                "return !visited && tryBegin();",
                "return tryBegin();");
        without(all, "the note of a merge", "Snapshots", ".setMerging(true)", ".setMerging(false)");
        without(
                all,
                "freeing after the sync",
                "LayerMerge",
                "        movedBytes += lengthBytes;\n",
                "        movedBytes += lengthBytes;\n        free();\n");
        without(
                all,
                "telling the maps of zeros that moved",
                "LayerMerge",
                "layers.map().touch(BlockMap.pageOf(position));",
                "");
        without(
                all,
                "turning up before a merge below",
                "VolumeMerge",
                "if (plan.index() + 2 < volume.layers().chain().count()) {",
                "if (false) {");
        without(
                all,
                "a lower layer that is as long as the upper one",
                "VolumeMerge",
                "if (plan.lower().getSizeBytes() < plan.upper().getSizeBytes()) {",
                "if (false) {");
        without(all, "the note of files to be taken away", "Snapshots", ".setFreshLayer(upper);", ";");
    }

    private static void addSizes(List<Safeguard> all) {
        without(
                all,
                "the cut at the old end",
                "VolumeFiles",
                "        disk.setSize(file(directory, last), keptBytes - begin(last));\n",
                "");
    }

    private static void addSums(List<Safeguard> all) {
        without(
                all,
                "the sync of the intents",
                "WriteIntents",
                "                result = disk.syncData(file.number());\n",
                "                result = 0;\n");
        without(
                all,
                "forgetting the sums of open regions",
                "SumFile",
                "                result = write(page, memory.address());\n",
                "");
        without(all, "the sync of the sums", "LayerSums", "regions.isEmpty() ? 0 : syncSums(failuresBefore)", "0");
    }

    private static void without(List<Safeguard> all, String name, String file, String text, String replacement) {
        Path path = Path.of("src/main/java/io/farblock/server", file + ".java");
        all.add(new Safeguard(name, SourceChange.of(path, text, replacement)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("chosen")
    void isMissed(Safeguard safeguard) throws Exception {
        safeguard.change.compileInto(classes);

        Throwable verdict = SourceChange.verdict(classes, LOADED_ANEW, LayerModelSuite.class, FIRST_SEED, SEEDS);

        assertThat(verdict).as("without %s no seed goes wrong", safeguard).isNotNull();
        System.out.println("without " + safeguard + ": "
                + String.valueOf(verdict.getMessage()).lines().findFirst().orElse(""));
    }

    @Test
    void isGreenWithAllOfThem() throws Exception {
        SourceChange.of(Path.of("src/main/java/io/farblock/server/MapFile.java"), "settled;\n\n", "settled;\n\n")
                .compileInto(classes);

        assertThat(SourceChange.verdict(classes, LOADED_ANEW, LayerModelSuite.class, FIRST_SEED, SEEDS_WITH_ALL))
                .isNull();
    }
}
