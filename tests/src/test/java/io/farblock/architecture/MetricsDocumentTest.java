package io.farblock.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.metrics.MetricFamily;
import io.farblock.metrics.Scrape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Holds docs/METRICS.md to the metrics that there are, with their types and labels. */
class MetricsDocumentTest {
    private static final Path DOCUMENT =
            Path.of("").toAbsolutePath().getParent().resolve("docs/METRICS.md");
    private static final int COLUMNS = 5;

    private static List<MetricFamily> families() throws ClassNotFoundException {
        List<MetricFamily> all = new ArrayList<>(Scrape.families(Class.forName("io.farblock.server.ServerFamilies")));
        all.addAll(Scrape.families(Class.forName("io.farblock.daemon.DaemonFamilies")));
        return all;
    }

    /** The rows that begin with a metric, without their bars. */
    private static List<String[]> rows() throws IOException {
        return Files.readAllLines(DOCUMENT).stream()
                .filter(line -> line.startsWith("| `farblock_"))
                .map(line -> line.substring(1).split("\\|", -1))
                .toList();
    }

    @Test
    void listsEveryMetricAsItIsAndNoOther() throws Exception {
        TreeSet<String> written = new TreeSet<>();
        for (String[] row : rows()) {
            assertThat(written.add(row[0].strip() + " " + row[1].strip() + " " + row[2].strip()))
                    .as("%s is listed twice", row[0])
                    .isTrue();
        }
        TreeSet<String> known = new TreeSet<>();
        for (MetricFamily family : families()) {
            known.add("`" + family.name() + "` " + family.type().name().toLowerCase(Locale.ROOT) + " "
                    + String.join(", ", family.labels()));
        }
        assertThat(known).hasSizeGreaterThan(40);
        assertThat(written).isEqualTo(known);
    }

    @Test
    void saysOfEachWhatItMeansAndWhatToDo() throws IOException {
        for (String[] row : rows()) {
            assertThat(row).as(row[0]).hasSizeGreaterThanOrEqualTo(COLUMNS);
            assertThat(row[3]).as(row[0]).isNotBlank();
            assertThat(row[4]).as(row[0]).isNotBlank();
        }
    }
}
