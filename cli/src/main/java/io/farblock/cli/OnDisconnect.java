package io.farblock.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What becomes of a device's requests while its server is away, as people write it. */
final class OnDisconnect {
    private static final Pattern FAIL_AFTER = Pattern.compile("fail-after=([0-9]{1,6})(ms|s|m|h)");

    private OnDisconnect() {}

    /** The time after which requests fail, in milliseconds; 0 for never. */
    static int failAfterMillis(String text) {
        if (text.equals("queue")) {
            return 0;
        }
        Matcher matcher = FAIL_AFTER.matcher(text);
        if (matcher.matches()) {
            long millis = Long.parseLong(matcher.group(1)) * unitMillis(matcher.group(2));
            if (millis > 0 && millis <= Integer.MAX_VALUE) {
                return (int) millis;
            }
        }
        throw new CommandException(
                ExitCode.USAGE, "'" + text + "' is neither 'queue' nor 'fail-after=' with a time such as 30s or 5m");
    }

    /** The same for people, as it would be written. */
    static String text(int failAfterMillis) {
        if (failAfterMillis == 0) {
            return "queue";
        }
        boolean whole = failAfterMillis % 1_000 == 0;
        return "fail-after=" + (whole ? failAfterMillis / 1_000 + "s" : failAfterMillis + "ms");
    }

    private static long unitMillis(String unit) {
        return switch (unit) {
            case "ms" -> 1;
            case "s" -> 1_000;
            case "m" -> 60_000;
            default -> 3_600_000;
        };
    }
}
