package io.farblock.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Shows, when a test has failed, what its servers and daemons said last: a machine that is gone with its tests has kept
 * nothing else. Registered as a service for all tests.
 */
public final class TailOfLogs implements AfterTestExecutionCallback {
    private static final int LINES = 25;

    @Override
    public void afterTestExecution(ExtensionContext context) throws IOException {
        if (context.getExecutionException().isEmpty() || !Files.isDirectory(Node.logs())) {
            return;
        }
        System.out.println(context.getDisplayName() + " failed: "
                + context.getExecutionException().get());
        try (Stream<Path> logs = Files.list(Node.logs())) {
            for (Path log : logs.sorted().toList()) {
                List<String> lines = Files.readAllLines(log);
                System.out.println("the end of " + log);
                lines.stream().skip(Math.max(0, lines.size() - LINES)).forEach(System.out::println);
            }
        }
    }
}
