package io.farblock.architecture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What can only be seen in the source: names, lengths, the page that every package has about itself. */
final class SourceRules {
    static final int MAX_FILE_LINES = 400;
    static final int MAX_METHOD_LINES = 70;

    private static final Pattern BANNED = Pattern.compile(".*(Manager|Helper|Utils?|Impl)|(Abstract|Base)[A-Z].*");
    // The design calls the short-lived process that makes blocking calls the attach helper.
    private static final Set<String> TERMS = Set.of("AttachHelper");
    private static final Pattern TYPE = Pattern.compile("\\b(class|interface|enum|record|implements|extends)\\b");

    private SourceRules() {}

    /** The Java files below a folder, generated ones excepted. */
    static List<Path> sources(Path top, String part) throws IOException {
        try (Stream<Path> files = Files.walk(top)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> file.toString().contains("/src/" + part + "/java/"))
                    .filter(file -> !file.toString().contains("/target/"))
                    .sorted()
                    .toList();
        }
    }

    /** Why the name of a type is not acceptable, or null. */
    static String badName(String type) {
        return !TERMS.contains(type) && BANNED.matcher(type).matches()
                ? type + ": a name that says nothing; name it after what it owns or does"
                : null;
    }

    /** Why a file is too long, or null. */
    static String tooLong(Path file, List<String> lines) {
        return lines.size() > MAX_FILE_LINES ? file + ": " + lines.size() + " lines, at most " + MAX_FILE_LINES : null;
    }

    /**
     * The methods of a file that are too long. Relies on the formatter: a block begins where a line ends with a brace and
     * ends where a line begins with one.
     */
    static List<String> longMethods(Path file, List<String> lines) {
        List<String> found = new ArrayList<>();
        Deque<Integer> begins = new ArrayDeque<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.startsWith("}") && !line.endsWith("{}")) {
                int begin = begins.pop();
                boolean isType = TYPE.matcher(declaration(lines, begin, i)).find();
                if (!isType && i - begin > MAX_METHOD_LINES) {
                    found.add(file + ":" + (begin + 1) + ": " + (i - begin) + " lines, at most " + MAX_METHOD_LINES);
                }
            }
            if (line.endsWith("{") && !line.startsWith("*") && !line.startsWith("//")) {
                begins.push(i);
            }
        }
        return found;
    }

    // It may be several lines long; the first of them is indented as far as the brace that ends the block.
    private static String declaration(List<String> lines, int begin, int end) {
        int first = begin;
        while (first > 0 && indentation(lines.get(first)) > indentation(lines.get(end))) {
            first--;
        }
        return String.join(" ", lines.subList(first, begin + 1));
    }

    private static int indentation(String line) {
        return line.length() - line.stripLeading().length();
    }

    /** Why the folder of a file is not acceptable, or null. */
    static String noPackageInfo(Path file) {
        return Files.exists(file.resolveSibling("package-info.java"))
                ? null
                : file.getParent() + ": no package-info.java";
    }
}
