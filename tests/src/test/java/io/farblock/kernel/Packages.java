package io.farblock.kernel;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** Other people's software for the tests, unpacked and not installed: {@code tests/kernel/packages}. */
public final class Packages {
    private Packages() {}

    /** The folder of a set; where it cannot be had the test is skipped, or fails in CI. */
    public static Path folder(String set) throws IOException, InterruptedException {
        Shell.Result result = Shell.run(script("packages") + " " + set);
        String last = result.output().substring(result.output().lastIndexOf('\n') + 1);
        if (result.status() != 0) {
            if ("true".equals(System.getenv("CI"))) {
                Assertions.fail(result.output());
            }
            Assumptions.abort(last);
        }
        return Path.of(last);
    }

    /** A script of {@code tests/kernel}. */
    public static Path script(String name) {
        return Path.of("kernel", name).toAbsolutePath();
    }
}
