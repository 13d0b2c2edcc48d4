package io.farblock.browser;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.GetOverviewRequest;
import io.farblock.api.admin.Overview;
import io.farblock.api.admin.Traffic;
import io.farblock.api.admin.VolumeOverview;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.interactions.Actions;

/** The page of a real server, with real load behind it, in a real browser. */
@Tag("browser")
@Timeout(120)
class PageTest {
    private static final int MOMENTS = 3;
    private static final long PATIENCE_NANOS = 20_000_000_000L;
    private static final long POLL_NANOS = 50_000_000;
    private static final long PAUSE_MICROS = 500;

    @TempDir
    static Path profile;

    private static Chromium browser;

    @TempDir
    Path folder;

    private ShownServer shown;

    @BeforeAll
    static void startBrowser() {
        Chromium.require();
        browser = Chromium.start(profile);
    }

    @AfterAll
    static void stopBrowser() {
        if (browser != null) {
            browser.close();
        }
    }

    @BeforeEach
    void start() throws Exception {
        shown = new ShownServer(folder);
        for (String name : List.of("mail", "films", "photos")) {
            shown.admin()
                    .createVolume(CreateVolumeRequest.newBuilder()
                            .setName(name)
                            .setSizeBytes(64 << 20)
                            .putLabels("team", name)
                            .build());
        }
        browser.resize(1400, 1000);
    }

    @AfterEach
    void stop() throws Exception {
        browser.leave();
        shown.close();
    }

    private void snapshot(String volume, String name) {
        shown.admin()
                .createSnapshot(CreateSnapshotRequest.newBuilder()
                        .setVolume(volume)
                        .setName(name)
                        .build());
    }

    private void cloneOf(String volume, String snapshot, String name) {
        shown.admin()
                .cloneSnapshot(CloneSnapshotRequest.newBuilder()
                        .setVolume(volume)
                        .setSnapshot(snapshot)
                        .setName(name)
                        .build());
    }

    private void look() {
        browser.driver().get(shown.url());
        await("return document.documentElement.dataset.state === 'live'");
    }

    private static void await(String script, Object... arguments) {
        long end = System.nanoTime() + PATIENCE_NANOS;
        while (!Boolean.TRUE.equals(browser.run(script, arguments))) {
            if (System.nanoTime() > end) {
                fail("not in time: " + script + ", while the page says \"" + browser.text("#banner") + "\" and "
                        + browser.complaints());
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private static String raw(String name) {
        return (String) browser.run(
                "return document.querySelector(`[data-field='${arguments[0]}']`)?.dataset.raw ?? null", name);
    }

    /** Compares all that is shown with the answers of the API behind it. */
    private Set<String> check(Shown.Moment moment) throws Exception {
        Overview before = moment.previousUptimeNanos() == null ? null : shown.answer(moment.previousUptimeNanos());
        Truth truth = new Truth(before, shown.answer(moment.uptimeNanos()));
        Set<String> names = new HashSet<>();
        for (Shown value : moment.values()) {
            if (value.isFigure()) {
                assertThat(Double.valueOf(value.raw())).as(value.name()).isEqualTo(truth.figure(value.name()));
            } else {
                assertThat(value.raw()).as(value.name()).isEqualTo(truth.field(value.name()));
            }
            Reading.check(value);
            names.add(value.name());
        }
        assertThat((List<?>) browser.run(Shown.STRAY_DIGITS)).isEmpty();
        return names;
    }

    /** The same of some moments one after the other, while somebody has chosen this; what was seen. */
    private Set<String> checkSome(String key, int moments) throws Exception {
        browser.run("location.hash = arguments[0]", key);
        Set<Long> seen = new HashSet<>();
        Set<String> names = new HashSet<>();
        while (seen.size() < moments) {
            Shown.Moment moment = Shown.moment(browser);
            if (seen.add(moment.uptimeNanos())) {
                names.addAll(check(moment));
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return names;
    }

    @Test
    void everyNumberIsWhatTheApiSays() throws Exception {
        Work mail = shown.work("mail", "compute1", 4096, PAUSE_MICROS);
        Work films = shown.work("films", "compute2", 128 << 10, PAUSE_MICROS);
        snapshot("mail", "monday");
        cloneOf("mail", "monday", "mail-copy");
        look();
        await("return document.querySelector(\"[data-figure='volumes/mail/readMeanNanos']\") !== null");

        Set<String> names = new HashSet<>();
        for (String key : List.of("", "mail", "mail@monday", "mail-copy")) {
            names.addAll(checkSome(key, MOMENTS));
        }
        assertThat(names)
                .contains(
                        "server.connections",
                        "space.freeBytes",
                        "server/writeBytesPerSecond",
                        "volumes/films/writesPerSecond",
                        "volumes/mail/volume.allocatedBytes",
                        "volumes/mail/volume.snapshots/monday/sizeBytes",
                        "volumes/mail-copy/volume.clonedFrom",
                        "volumes/films/volume.clients/0/queues");

        mail.stop();
        films.stop();
        browser.run("location.hash = 'mail'");
        await(
                "return document.querySelector(`[data-field='volumes/mail/traffic.reads.requests']`)?.dataset.raw"
                        + " === arguments[0]",
                Long.toString(mail.reads()));
        Overview answer = shown.admin().getOverview(GetOverviewRequest.getDefaultInstance());
        Traffic traffic = answer.getVolumesList().stream()
                .filter(volume -> volume.getVolume().getName().equals("mail"))
                .findFirst()
                .orElseThrow()
                .getTraffic();
        assertThat(raw("volumes/mail/traffic.writes.requests")).isEqualTo(Long.toString(mail.writes()));
        assertThat(raw("volumes/mail/traffic.writes.bytes")).isEqualTo(Long.toString(mail.writes() * 4096));
        assertThat(traffic.getReads().getRequests()).isEqualTo(mail.reads());
        assertThat(raw("volumes/mail/traffic.reads.bytes"))
                .isEqualTo(Long.toString(traffic.getReads().getBytes()));
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void everyStateIsSaidInWords() throws Exception {
        Overview real = shown.admin().getOverview(GetOverviewRequest.getDefaultInstance());
        shown.show(who -> Canned.troubled(real, System.nanoTime()));
        look();
        await("return document.querySelectorAll('#health-list li').length === 4");
        for (VolumeOverview volume : Canned.troubled(real, 1).getVolumesList()) {
            checkSome(volume.getVolume().getName(), 1);
        }
        assertThat(browser.text("#health-line")).isEqualTo("4 of 6 volumes need attention. The disk is full.");
        assertThat(browser.text("#health-list")).contains(Canned.REASON);
        assertThat(browser.text("#work"))
                .contains("merges 3 of deleted snapshots", "the volume is busy", "is being filled");
        assertThat(browser.run("return document.querySelector('#work progress:not([hidden])').value"))
                .isEqualTo(0.25);
        assertThat(browser.text("#clients")).contains("holds the lease, not connected");
        assertThat(browser.text("#events")).contains("refused: ");
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void namesAreNeverMoreThanText() throws Exception {
        String hostile = "<img src=x onerror=\"window.taken=1\"><script>window.taken=1</script>";
        shown.open("mail", hostile, false);
        Overview real = shown.admin().getOverview(GetOverviewRequest.getDefaultInstance());
        shown.show(who -> Canned.named(real, System.nanoTime(), hostile));
        look();
        browser.run("location.hash = 'mail'");
        await("return document.querySelector('#details-list').textContent.includes(arguments[0])", hostile);
        checkSome("mail", 1);
        for (String part : List.of("#clients", "#events", "#details", "#caller", "#health")) {
            assertThat(browser.text(part)).as(part).contains(hostile);
        }
        assertThat(browser.run("return window.taken ?? null")).isNull();
        assertThat(browser.run("return document.querySelectorAll('img').length"))
                .isEqualTo(1L);
        assertThat(browser.complaints()).isEmpty();
    }

    @Test
    void whatIsOldDoesNotPassForLive() throws Exception {
        look();
        shown.show(who -> {
            throw new IOException("the disk has not answered");
        });
        await("return document.documentElement.dataset.state === 'stale'");
        assertThat(browser.text("#banner"))
                .startsWith("The server says: the disk has not answered. What is shown is of ");
        shown.hide();
        await("return document.querySelector('#banner').textContent.startsWith('The server does not answer.')");
        assertThat(browser.run("return getComputedStyle(document.querySelector('main')).opacity"))
                .isNotEqualTo("1");
        shown.showAgain();
        await("return document.documentElement.dataset.state === 'live'");
        assertThat(browser.run("return document.querySelector('#banner').checkVisibility()"))
                .isEqualTo(false);
    }

    @Test
    void aServerThatWasStartedAgainBeginsItsChartsAnew() throws Exception {
        look();
        await("return document.querySelector('main').dataset.previousUptimeNanos !== undefined");
        Overview real = shown.admin().getOverview(GetOverviewRequest.getDefaultInstance());
        shown.show(who -> real.toBuilder().setUptimeNanos(1).build());
        await("return document.querySelector('main').dataset.uptimeNanos === '1'");
        assertThat(browser.run("return document.querySelector('main').dataset.previousUptimeNanos ?? null"))
                .isNull();
        assertThat((List<?>) browser.run("return [...document.querySelectorAll('[data-figure*=PerSecond]')]"))
                .isEmpty();
        assertThat(browser.run("return document.querySelector('#charts .line').getAttribute('d')"))
                .isEqualTo("");
    }

    @Test
    void theSameAnswerOnceMoreTakesNothingAway() throws Exception {
        look();
        await("return document.querySelector('main').dataset.previousUptimeNanos !== undefined");
        AtomicInteger asked = new AtomicInteger();
        Overview real = shown.admin().getOverview(GetOverviewRequest.getDefaultInstance());
        shown.show(who -> {
            asked.incrementAndGet();
            return real;
        });
        while (asked.get() < 3) {
            LockSupport.parkNanos(POLL_NANOS);
        }
        check(Shown.moment(browser));
        assertThat(browser.run("return document.querySelector('#charts .line').getAttribute('d')"))
                .asString()
                .startsWith("M");
    }

    @Test
    void chartsShowEachAnswer() throws Exception {
        shown.work("mail", "compute1", 4096, PAUSE_MICROS);
        look();
        await(
                "return (document.querySelector('#chart-latency .line').getAttribute('d').match(/L/g) ?? []).length >= 3");
        for (String chart : List.of("#chart-requests", "#chart-bytes", "#chart-latency")) {
            assertThat(browser.run("return document.querySelector(arguments[0] + ' svg').ariaLabel", chart))
                    .asString()
                    .startsWith("reads ")
                    .contains(", writes ");
        }
        new Actions(browser.driver())
                .moveToElement(browser.driver().findElement(By.cssSelector("#chart-requests svg")))
                .perform();
        assertThat(browser.run("return document.querySelector('#chart-requests .reading').hidden"))
                .as("there is nothing to read of before the server was started")
                .isEqualTo(true);
        long right = (Long)
                browser.run(
                        "return Math.floor(document.querySelector('#chart-requests svg').getBoundingClientRect().width / 2) - 2");
        new Actions(browser.driver())
                .moveToElement(
                        browser.driver().findElement(By.cssSelector("#chart-requests svg")), Math.toIntExact(right), 0)
                .perform();
        assertThat(browser.text("#chart-requests .reading")).matches("[0-3] s ago: reads [0-9,.]+, writes [0-9,.]+");
    }

    @Test
    void theTreeIsWalkedWithTheKeyboard() throws Exception {
        snapshot("mail", "monday");
        cloneOf("mail", "monday", "mail-copy");
        look();
        await("return document.querySelectorAll('#tree tbody tr').length === 5");
        assertThat(rows()).containsExactly("films", "mail", "mail@monday", "mail-copy", "photos");
        browser.run("document.querySelector('#tree tbody tr').focus()");
        press(Keys.ARROW_DOWN);
        assertThat(focused()).isEqualTo("mail");
        press(Keys.ARROW_LEFT);
        assertThat(rows()).containsExactly("films", "mail", "photos");
        press(Keys.ARROW_RIGHT);
        press(Keys.ARROW_RIGHT);
        assertThat(focused()).isEqualTo("mail@monday");
        press(Keys.ARROW_RIGHT);
        press(Keys.ENTER);
        assertThat(focused()).isEqualTo("mail-copy");
        assertThat(browser.text("#details-title")).isEqualTo("mail-copy");
        assertThat(browser.text("#charts-of")).isEqualTo("mail-copy");
        press(Keys.HOME);
        assertThat(focused()).isEqualTo("films");
        press(Keys.END);
        assertThat(focused()).isEqualTo("photos");
        long uptime = Shown.moment(browser).uptimeNanos();
        await("return document.querySelector('main').dataset.uptimeNanos !== arguments[0]", Long.toString(uptime));
        assertThat(focused()).as("after another answer").isEqualTo("photos");
        browser.driver().findElement(By.id("filter")).sendKeys("COPY");
        assertThat(rows()).containsExactly("mail", "mail@monday", "mail-copy");
        browser.driver().findElement(By.id("filter")).sendKeys("?");
        assertThat(browser.text("#no-volumes")).isEqualTo("Nothing has this in its name, clients or state.");
    }

    @Test
    void moreVolumesThanAnybodyReadsAreLeftOutAndSaidSo() throws Exception {
        Overview real = shown.admin().getOverview(GetOverviewRequest.getDefaultInstance());
        shown.show(who -> Canned.many(real, System.nanoTime(), 600));
        look();
        await("return document.querySelectorAll('#tree tbody tr').length === 500");
        assertThat(browser.text("#more-rows")).isEqualTo("and 100 more: filter them by a part of the name");
        browser.driver().findElement(By.id("filter")).sendKeys("volume59");
        assertThat(rows()).hasSize(11);
        assertThat(browser.run("return document.querySelector('#more-rows').checkVisibility()"))
                .isEqualTo(false);
    }

    private static void press(Keys key) {
        new Actions(browser.driver()).sendKeys(key).perform();
    }

    private static Object focused() {
        return browser.run("return document.activeElement.dataset.volume ?? document.activeElement.dataset.snapshot");
    }

    @SuppressWarnings("unchecked") // Of strings, as the script says.
    private static List<String> rows() {
        return (List<String>) browser.run("return [...document.querySelectorAll('#tree tbody tr')]"
                + ".map((row) => row.dataset.volume ?? row.dataset.snapshot)");
    }

    @Test
    void aPhoneIsWideEnoughInLightAndInDark() throws Exception {
        shown.work("mail", "compute1", 4096, PAUSE_MICROS);
        snapshot("mail", "monday");
        Overview real = shown.admin().getOverview(GetOverviewRequest.getDefaultInstance());
        shown.show(who -> Canned.troubled(real, System.nanoTime()));
        browser.resize(360, 740);
        Set<Object> grounds = new HashSet<>();
        for (String scheme : List.of("light", "dark")) {
            browser.prefer(scheme);
            look();
            browser.run("location.hash = 'full'");
            await("return document.querySelector('#details-title').textContent === 'full'");
            assertThat(browser.run("return document.documentElement.scrollWidth"))
                    .isEqualTo(360L);
            assertThat((List<?>) browser.run("return [...document.querySelectorAll('main section')]"
                            + ".filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.id)"))
                    .isEmpty();
            grounds.add(browser.run("return getComputedStyle(document.body).backgroundColor"));
        }
        assertThat(grounds).hasSize(2);
        browser.driver().findElement(By.id("scheme")).click();
        assertThat(browser.run("return getComputedStyle(document.body).backgroundColor"))
                .as("light again")
                .isEqualTo("rgb(243, 245, 248)");
    }
}
