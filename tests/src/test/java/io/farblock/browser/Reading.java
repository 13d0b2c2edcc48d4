package io.farblock.browser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Whether what is read on the page is the value behind it, to as many digits as are shown. */
final class Reading {
    private static final Pattern NUMBER = Pattern.compile("([0-9]+(?:,[0-9]{3})*)(\\.[0-9]+)?(?: ([A-Za-zµ]+))?(/s)?");
    private static final Map<String, Double> UNITS = Map.ofEntries(
            Map.entry("", 1.0),
            Map.entry("B", 1.0),
            Map.entry("KiB", 0x1p10),
            Map.entry("MiB", 0x1p20),
            Map.entry("GiB", 0x1p30),
            Map.entry("TiB", 0x1p40),
            Map.entry("PiB", 0x1p50),
            Map.entry("EiB", 0x1p60),
            Map.entry("ns", 1.0),
            Map.entry("µs", 1e3),
            Map.entry("ms", 1e6),
            Map.entry("s", 1e9));
    private static final Map<String, String> WORDS = Map.of(
            "VOLUME_STATE_READY", "ready",
            "VOLUME_STATE_NO_SPACE", "no space",
            "VOLUME_STATE_FAILED", "failed",
            "VOLUME_STATE_WAITING", "waiting",
            "VOLUME_STATE_IMPORTING", "importing",
            "ON_NO_SPACE_QUEUE", "writes wait",
            "ON_NO_SPACE_FAIL", "writes fail",
            "true", "yes",
            "false", "no");
    private static final DateTimeFormatter MOMENT =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss").withZone(ZoneId.systemDefault());

    private Reading() {}

    static void check(Shown shown) {
        String raw = shown.raw();
        switch (shown.unit()) {
            case "text" -> assertThat(shown.text()).isEqualTo(raw);
            case "state", "onNoSpace", "yesNo" -> assertThat(shown.text()).isEqualTo(WORDS.get(raw));
            case "count" -> assertThat(shown.text().replace(",", "")).isEqualTo(raw);
            case "moment" ->
                assertThat(shown.text()).isEqualTo(MOMENT.format(Instant.ofEpochMilli(Long.parseLong(raw))));
            case "millis" -> assertThat(shown.text()).isEqualTo(duration(Long.parseLong(raw) / 1000));
            case "uptime" -> assertThat(shown.text()).isEqualTo(duration(Long.parseLong(raw) / 1_000_000_000));
            case "bytes", "perSecond", "bytesPerSecond", "nanos" -> checkNumber(shown);
            default -> throw new AssertionError("a unit of which nothing is known: " + shown);
        }
    }

    private static void checkNumber(Shown shown) {
        Matcher number = NUMBER.matcher(shown.text());
        assertThat(number.matches()).as(shown.toString()).isTrue();
        assertThat(number.group(4)).isEqualTo(shown.unit().equals("bytesPerSecond") ? "/s" : null);
        int decimals = number.group(2) == null ? 0 : number.group(2).length() - 1;
        double unit = UNITS.get(number.group(3) == null ? "" : number.group(3));
        double read = Double.parseDouble(shown.text().replace(",", "").replaceAll("[^0-9.].*", "")) * unit;
        assertThat(read)
                .as(shown.toString())
                .isCloseTo(Double.parseDouble(shown.raw()), within(0.501 * unit / Math.pow(10, decimals)));
    }

    private static String duration(long seconds) {
        List<String> parts = List.of(
                seconds / 86400 + " d", seconds / 3600 % 24 + " h", seconds / 60 % 60 + " min", seconds % 60 + " s");
        int first = 0;
        while (first < 3 && parts.get(first).startsWith("0 ")) {
            first++;
        }
        return String.join(" ", parts.subList(first, Math.min(first + 2, 4)));
    }
}
