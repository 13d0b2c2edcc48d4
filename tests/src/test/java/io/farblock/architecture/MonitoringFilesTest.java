package io.farblock.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.metrics.MetricFamily;
import io.farblock.metrics.Scrape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Holds the alert rules and the dashboard to the metrics that there are, and each alert to what is written about it. */
class MonitoringFilesTest {
    private static final Path TOP = Path.of("").toAbsolutePath().getParent();
    private static final String RULES = "packaging/prometheus/farblock.rules.yml";
    private static final String DASHBOARD = "packaging/grafana/farblock.json";
    private static final String ALERTS = "docs/ALERTS.md";
    private static final Pattern METRIC = Pattern.compile("farblock_[a-z_]+");
    private static final Pattern ALERT = Pattern.compile("(?m)^ +- alert: (\\w+)$");
    private static final Pattern HEADING = Pattern.compile("(?m)^## (\\w+)$");
    private static final Pattern RUNBOOK = Pattern.compile("(?m)^ +runbook: docs/ALERTS\\.md#(\\w+)$");

    private static String read(String file) throws IOException {
        return Files.readString(TOP.resolve(file));
    }

    private static List<String> all(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(found -> found.group(found.groupCount()))
                .toList();
    }

    /** Every name under which a value of a metric may be asked for. */
    private static Set<String> series() throws ClassNotFoundException {
        Set<String> names = new TreeSet<>();
        for (String end : List.of("server.ServerFamilies", "daemon.DaemonFamilies")) {
            for (MetricFamily family : Scrape.families(Class.forName("io.farblock." + end))) {
                if (family.type() == MetricFamily.Type.HISTOGRAM) {
                    List.of("_bucket", "_sum", "_count").forEach(part -> names.add(family.name() + part));
                } else {
                    names.add(family.name());
                }
            }
        }
        return names;
    }

    @Test
    void askForMetricsThatThereAre() throws Exception {
        for (String file : List.of(RULES, DASHBOARD, ALERTS)) {
            Set<String> asked = METRIC.matcher(read(file))
                    .results()
                    .map(MatchResult::group)
                    .collect(Collectors.toCollection(TreeSet::new));
            assertThat(asked).as(file).isNotEmpty();
            assertThat(series()).as(file).containsAll(asked);
        }
    }

    @Test
    void sendEveryAlertToWhatIsWrittenAboutIt() throws Exception {
        List<String> alerts = all(ALERT, read(RULES));
        assertThat(alerts).hasSizeGreaterThan(10).doesNotHaveDuplicates();
        assertThat(all(HEADING, read(ALERTS))).containsExactlyElementsOf(alerts);
        assertThat(all(RUNBOOK, read(RULES)))
                .containsExactlyElementsOf(alerts.stream()
                        .map(name -> name.toLowerCase(Locale.ROOT))
                        .toList());
    }
}
