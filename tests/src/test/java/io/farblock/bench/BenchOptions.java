package io.farblock.bench;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/** Arguments of the form {@code name=value}, over defaults that say which names there are. */
final class BenchOptions {
    private final Map<String, String> values;

    BenchOptions(Map<String, String> defaults, String[] arguments) {
        values = new HashMap<>(defaults);
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals < 0 || values.replace(argument.substring(0, equals), argument.substring(equals + 1)) == null) {
                throw new IllegalArgumentException("'" + argument + "' is not NAME=VALUE with a NAME of "
                        + String.join(", ", new TreeSet<>(defaults.keySet())));
            }
        }
    }

    String text(String name) {
        return values.get(name);
    }

    boolean is(String name, String value) {
        return values.get(name).equals(value);
    }

    Path path(String name) {
        return Path.of(values.get(name));
    }

    int count(String name) {
        return Integer.parseInt(values.get(name));
    }

    double number(String name) {
        return Double.parseDouble(values.get(name));
    }
}
