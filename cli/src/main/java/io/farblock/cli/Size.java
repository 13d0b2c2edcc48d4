package io.farblock.cli;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: a whole number and K, M, G, T for powers of 1024, or nothing for bytes. */
final class Size {
    private static final Pattern FORM = Pattern.compile("([0-9]{1,19})(?:([KMGT])(?:iB)?)?");
    private static final String UNITS = "KMGT";
    private static final int UNIT_SHIFT = 10;

    private Size() {}

    /**
     * The number of bytes.
     *
     * @throws CommandException if it is no size; the message shows the form
     */
    static long parse(String text) {
        Matcher match = FORM.matcher(text);
        if (!match.matches()) {
            throw new CommandException(ExitCode.USAGE, "'" + text + "' is no size: write 512M, 1G or 16T, or bytes");
        }
        int unit = match.group(2) == null ? 0 : UNITS.indexOf(match.group(2)) + 1;
        try {
            return Math.multiplyExact(Long.parseLong(match.group(1)), 1L << (unit * UNIT_SHIFT));
        } catch (ArithmeticException | NumberFormatException e) {
            throw new CommandException(ExitCode.USAGE, "'" + text + "' is more than any volume has: at most 64T", e);
        }
    }

    /** The largest unit in which it is at least 1, with one decimal where it is not whole. */
    static String text(long bytes) {
        int unit = bytes == 0 ? 0 : Math.min(UNITS.length(), (63 - Long.numberOfLeadingZeros(bytes)) / UNIT_SHIFT);
        if (unit == 0) {
            return bytes + "";
        }
        BigDecimal value = BigDecimal.valueOf(bytes)
                .divide(BigDecimal.valueOf(1L << (unit * UNIT_SHIFT)), 1, RoundingMode.HALF_UP);
        String number = value.stripTrailingZeros().toPlainString();
        return String.format(Locale.ROOT, "%s%c", number, UNITS.charAt(unit - 1));
    }
}
