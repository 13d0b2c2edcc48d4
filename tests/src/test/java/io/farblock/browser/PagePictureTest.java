package io.farblock.browser;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.CreateVolumeRequest;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What people see. The pictures are in {@code target/page}; those in {@code docs/page} were made by
 *
 * <pre>mvn test -pl tests -am -Dtest=PagePictureTest -Dsurefire.failIfNoSpecifiedTests=false -Dfarblock.picture.seconds=290</pre>
 */
@Tag("browser")
@Timeout(400)
class PagePictureTest {
    private static final long SECONDS = Long.getLong("farblock.picture.seconds", 3);
    private static final long LIMIT_SECONDS = 100;
    private static final int ENOUGH_PIXELS = 20;
    // The edges of a line are mixed with what is behind it.
    private static final int LIKE_PERCENT = 85;

    @TempDir
    Path folder;

    private ShownServer shown;

    private void create(String name, long gibibytes) {
        shown.admin()
                .createVolume(CreateVolumeRequest.newBuilder()
                        .setName(name)
                        .setSizeBytes(gibibytes << 30)
                        .build());
    }

    private void snapshot(String volume, String name) {
        shown.admin()
                .createSnapshot(CreateSnapshotRequest.newBuilder()
                        .setVolume(volume)
                        .setName(name)
                        .build());
    }

    private void makeVolumes() throws Exception {
        create("database", 200);
        create("mail", 500);
        create("web", 20);
        shown.work("database", "compute1", 16 << 10, 300);
        shown.work("mail", "compute2", 64 << 10, 4000);
        shown.work("web", "compute1", 4 << 10, 9000);
        snapshot("database", "before-upgrade");
        snapshot("mail", "saturday");
        snapshot("mail", "sunday");
        shown.admin()
                .cloneSnapshot(CloneSnapshotRequest.newBuilder()
                        .setVolume("database")
                        .setSnapshot("before-upgrade")
                        .setName("database-trial")
                        .build());
        shown.open("mail@sunday", "backup1", true);
    }

    private static BufferedImage photograph(Chromium browser, String name) throws Exception {
        Path pictures = Files.createDirectories(Path.of("target", "page"));
        Path picture = pictures.resolve(name + ".png");
        browser.photograph(picture);
        return ImageIO.read(picture.toFile());
    }

    /** How many pixels of an element have a colour, nearly. */
    private static long pixels(Chromium browser, BufferedImage picture, String selector, int rgb) {
        Map<?, ?> box = (Map<?, ?>) browser.run(
                "const {x, y, width, height} = document.querySelector(arguments[0]).getBoundingClientRect();"
                        + " return {x: Math.ceil(x), y: Math.ceil(y), width: Math.floor(width), height: Math.floor(height)}",
                selector);
        int width = ((Number) box.get("width")).intValue();
        int[] all = picture.getRGB(
                ((Number) box.get("x")).intValue(),
                ((Number) box.get("y")).intValue(),
                width,
                ((Number) box.get("height")).intValue(),
                null,
                0,
                width);
        long same = 0;
        for (int pixel : all) {
            same += isLike(pixel, rgb) ? 1 : 0;
        }
        return same;
    }

    private static boolean isLike(int pixel, int rgb) {
        int difference = 0;
        for (int shift = 0; shift < 24; shift += 8) {
            difference += Math.abs((pixel >> shift & 0xff) - (rgb >> shift & 0xff));
        }
        return difference * 100 <= (100 - LIKE_PERCENT) * 255;
    }

    /** Of the charts and their lines, how many pixels of its colour the one has that is seen least. */
    private static long fewestPixels(Chromium browser, String pictureName, int... rgbs) throws Exception {
        BufferedImage picture = photograph(browser, pictureName);
        long fewest = Long.MAX_VALUE;
        for (String chart : List.of("#chart-requests svg", "#chart-bytes svg", "#chart-latency svg")) {
            for (int rgb : rgbs) {
                fewest = Math.min(fewest, pixels(browser, picture, chart, rgb));
            }
        }
        return fewest;
    }

    /** Takes the picture again until the lines are there: they need a few answers before there is anything of them to see. */
    private static void mustShowLines(Chromium browser, String pictureName, int... rgbs) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        long fewest = fewestPixels(browser, pictureName, rgbs);
        while (fewest < ENOUGH_PIXELS && System.nanoTime() < end) {
            TimeUnit.SECONDS.sleep(1);
            fewest = fewestPixels(browser, pictureName, rgbs);
        }
        assertThat(fewest).as(pictureName).isGreaterThanOrEqualTo(ENOUGH_PIXELS);
    }

    @Test
    void linesAreSeenInLightAndInDark() throws Exception {
        Chromium.require();
        shown = new ShownServer(folder.resolve("data"));
        try (Chromium browser = Chromium.start(folder.resolve("profile"))) {
            makeVolumes();
            browser.resize(1280, 1240);
            browser.prefer("light");
            browser.driver().get(shown.url() + "#database");
            TimeUnit.SECONDS.sleep(SECONDS);
            mustShowLines(browser, "light", 0x1f5fbf, 0xc2570c);
            browser.prefer("dark");
            mustShowLines(browser, "dark", 0x6ca6ff, 0xffa25e);
            browser.prefer("light");
            browser.resize(360, 1000);
            photograph(browser, "phone");
        } finally {
            shown.close();
        }
    }
}
