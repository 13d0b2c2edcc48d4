package io.farblock.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Holds the project to its source rules, and shows each rule a sample that breaks it. */
class SourceRulesTest {
    private static final Path TOP = Path.of("").toAbsolutePath().getParent();
    private static final Path FILE = Path.of("A.java");

    /** Files that were longer when the rule came, with the length that they may not exceed. To be emptied, not filled. */
    private static final Map<String, Integer> LONGER = new TreeMap<>(Map.of(
            "BlkQueue.java", 460,
            "ClientSession.java", 490));

    @TempDir
    Path work;

    private static List<Path> main() throws IOException {
        List<Path> sources = SourceRules.sources(TOP, "main");
        assertThat(sources).hasSizeGreaterThan(50);
        return sources;
    }

    @Test
    void noNameSaysNothing() throws IOException {
        assertThat(Stream.concat(main().stream(), SourceRules.sources(TOP, "test").stream())
                        .map(file -> SourceRules.badName(
                                file.getFileName().toString().replace(".java", "")))
                        .filter(Objects::nonNull))
                .isEmpty();
    }

    @Test
    void noFileIsTooLong() throws IOException {
        List<String> found = new ArrayList<>();
        for (Path file : main()) {
            List<String> lines = Files.readAllLines(file);
            if (lines.size() > LONGER.getOrDefault(file.getFileName().toString(), 0)) {
                found.add(SourceRules.tooLong(file, lines));
            }
        }
        found.removeIf(Objects::isNull);
        assertThat(found).isEmpty();
    }

    @Test
    void everyExceptionIsStillNeeded() throws IOException {
        for (Path file : main()) {
            if (LONGER.containsKey(file.getFileName().toString())) {
                assertThat(SourceRules.tooLong(file, Files.readAllLines(file)))
                        .as("%s is short enough now: take it off the list", file)
                        .isNotNull();
            }
        }
    }

    @Test
    void noMethodIsTooLong() throws IOException {
        List<String> found = new ArrayList<>();
        for (Path file : main()) {
            found.addAll(SourceRules.longMethods(file, Files.readAllLines(file)));
        }
        assertThat(found).isEmpty();
    }

    @Test
    void everyPackageSaysWhatItIs() throws IOException {
        assertThat(main().stream().map(SourceRules::noPackageInfo).filter(Objects::nonNull))
                .isEmpty();
    }

    @Test
    void findNamesThatSayNothing() {
        assertThat(Stream.of("VolumeManager", "IoHelper", "FileUtil", "FileUtils", "StoreImpl", "AbstractStore")
                        .map(SourceRules::badName))
                .doesNotContainNull();
        assertThat(Stream.of("BlkQueue", "Baseline", "Utility", "AttachHelper").map(SourceRules::badName))
                .containsOnlyNulls();
    }

    @Test
    void findAFileThatIsTooLong() {
        assertThat(SourceRules.tooLong(FILE, Collections.nCopies(400, "x"))).isNull();
        assertThat(SourceRules.tooLong(FILE, Collections.nCopies(401, "x"))).contains("401 lines");
    }

    @Test
    void findAMethodThatIsTooLong() {
        assertThat(SourceRules.longMethods(FILE, typeWithMethodOf(69))).isEmpty();
        assertThat(SourceRules.longMethods(FILE, typeWithMethodOf(80)))
                .singleElement()
                .asString()
                .contains("A.java:3: 83 lines");
    }

    private static List<String> typeWithMethodOf(int statements) {
        List<String> lines = new ArrayList<>();
        lines.add("final class A {");
        lines.add("    private static final Object[] NONE = {};");
        lines.add("    void method() {");
        lines.addAll(Collections.nCopies(statements, "        one();"));
        if (statements > SourceRules.MAX_METHOD_LINES) {
            lines.addAll(List.of("        if (two()) {", "        }"));
        }
        lines.addAll(List.of("    }", "}"));
        return lines;
    }

    @Test
    void findAPackageWithoutItsPage() throws IOException {
        Path file = work.resolve("A.java");
        assertThat(SourceRules.noPackageInfo(file)).contains("no package-info.java");
        Files.createFile(work.resolve("package-info.java"));
        assertThat(SourceRules.noPackageInfo(file)).isNull();
    }
}
