package io.farblock.browser;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import org.junit.jupiter.api.Assumptions;
import org.openqa.selenium.OutputType;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** A real browser without a window, of Debian's packages chromium and chromium-driver. Used by one thread. */
final class Chromium implements AutoCloseable {
    private static final Path BROWSER = Path.of("/usr/bin/chromium");
    private static final Path DRIVER = Path.of("/usr/bin/chromedriver");
    private static final Duration SCRIPT_LIMIT = Duration.ofSeconds(30);

    private final ChromeDriver driver;

    private Chromium(ChromeDriver driver) {
        this.driver = driver;
    }

    /** Skips the test where there is no browser; fails it where there was to be one. */
    static void require() {
        boolean there = Files.isExecutable(BROWSER) && Files.isExecutable(DRIVER);
        if ("1".equals(System.getenv("FARBLOCK_REQUIRE_BROWSER"))) {
            if (!there) {
                fail("there was to be a browser: apt-get install chromium chromium-driver");
            }
        } else {
            Assumptions.assumeTrue(there, "no browser: apt-get install chromium chromium-driver");
        }
    }

    /**
     * Starts one.
     *
     * @param profile a folder of its own
     */
    static Chromium start(Path profile) {
        LoggingPreferences logged = new LoggingPreferences();
        logged.enable(LogType.BROWSER, Level.ALL);
        ChromeOptions options = new ChromeOptions();
        options.setBinary(BROWSER.toFile());
        options.setCapability(ChromeOptions.LOGGING_PREFS, logged);
        options.addArguments(
                "--headless",
                // Tests run as root, whom its sandbox does not take.
                "--no-sandbox",
                "--disable-gpu",
                // As on a phone: they would take from the width.
                "--hide-scrollbars",
                "--disable-dev-shm-usage",
                // It is to speak with nobody but the page.
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--disable-quic",
                "--user-data-dir=" + profile);
        ChromeDriverService service = new ChromeDriverService.Builder()
                .usingDriverExecutable(DRIVER.toFile())
                .build();
        ChromeDriver driver = new ChromeDriver(service, options);
        driver.manage().timeouts().scriptTimeout(SCRIPT_LIMIT);
        return new Chromium(driver);
    }

    /** To do what has no method here. */
    ChromeDriver driver() {
        return driver;
    }

    void resize(int widthPixels, int heightPixels) {
        // A window cannot be as narrow as a phone; what it shows can.
        var unused = driver.executeCdpCommand(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", widthPixels, "height", heightPixels, "deviceScaleFactor", 1, "mobile", false));
    }

    /** Has pages believe that the person likes it dark, or light. */
    void prefer(String scheme) {
        var unused = driver.executeCdpCommand(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
    }

    /** What a script returns. */
    Object run(String script, Object... arguments) {
        return driver.executeScript(script, arguments);
    }

    /** What is read in the first element that a selector finds. */
    String text(String selector) {
        return (String) run("return document.querySelector(arguments[0]).textContent", selector);
    }

    /** Goes away from whatever it has open, and forgets what that complained of. */
    void leave() {
        driver.get("about:blank");
        var unused = complaints();
    }

    /** What pages have complained of since this was last asked. */
    List<String> complaints() {
        return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
                .map(LogEntry::getMessage)
                .toList();
    }

    /** Writes what is seen to a file, as PNG. */
    void photograph(Path file) throws IOException {
        Files.write(file, driver.getScreenshotAs(OutputType.BYTES));
    }

    @Override
    public void close() {
        driver.quit();
    }
}
