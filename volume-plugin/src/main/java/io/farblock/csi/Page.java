package io.farblock.csi;

import java.util.List;
import java.util.function.Function;

/**
 * A part of a list that is too long for one answer: it begins behind the entry that the token names, so that what comes
 * and goes meanwhile shifts nothing.
 *
 * @param next the token for what follows; empty at the end
 */
record Page<T>(List<T> entries, String next) {
    private static final String TOKEN = "after:";

    /** @param all in the order of their keys */
    static <T> Page<T> of(List<T> all, Function<T, String> key, String token, int maxEntries) {
        if (maxEntries < 0) {
            throw Refusal.invalid("max_entries is negative");
        }
        if (!token.isEmpty() && !token.startsWith(TOKEN)) {
            throw Refusal.aborted("starting_token is not one that was given out; begin again without");
        }
        String after = token.isEmpty() ? "" : token.substring(TOKEN.length());
        List<T> rest = all.stream()
                .filter(entry -> key.apply(entry).compareTo(after) > 0)
                .toList();
        if (maxEntries == 0 || rest.size() <= maxEntries) {
            return new Page<>(rest, "");
        }
        List<T> entries = rest.subList(0, maxEntries);
        return new Page<>(entries, TOKEN + key.apply(entries.get(maxEntries - 1)));
    }
}
