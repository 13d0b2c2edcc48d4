package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.farblock.api.admin.Event;
import io.farblock.tls.Identity;
import io.farblock.tls.Role;
import io.farblock.wire.proto.Hello;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the audit log keeps, and how much of it. */
class AuditLogTest {
    @TempDir
    Path folder;

    @Test
    void keepsALineForEachEvent() throws Exception {
        try (AuditLog log = new AuditLog(folder.resolve("audit.log"), 1 << 20)) {
            log.call(Identity.ANYBODY, "DeleteVolume", "ma\"il\n", "OK");
            log.call(Identity.ANYBODY, "CreateVolume", "mail", "OK");
        }
        List<String> lines = Files.readAllLines(folder.resolve("audit.log"));
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).contains("farblock://admin/anybody", "\"method\":\"DeleteVolume\"", "ma\\\"il?");
    }

    @Test
    void keepsWhatWasDoneHoweverManyAreRefused() throws Exception {
        Identity hostile = new Identity(Role.NODE, "compute2");
        Hello hello = RawClient.hello("mail", "hostile").build();
        Path file = folder.resolve("audit.log");
        try (AuditLog log = new AuditLog(file, 8_000)) {
            log.call(Identity.ANYBODY, "DeleteVolume", "precious", "OK");
            for (int i = 0; i < 1_000; i++) {
                log.refused(hostile, "10.0.0.9:" + (1024 + i), hello, "not yours");
                log.call(hostile, "DeleteVolume", "mail", "PERMISSION_DENIED");
                LockSupport.parkNanos(10_000);
            }
        }
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSizeLessThan(20);
        assertThat(lines.get(0)).contains("precious");
        assertThat(lines)
                .filteredOn(line -> line.contains("\"refusals\""))
                .hasSize(2)
                .allMatch(line -> line.contains("farblock://node/compute2") && line.contains("\"times\":996"))
                .anyMatch(line -> line.contains("\"address\":\"10.0.0.9\""));
    }

    @Test
    void tellsPeopleTheLatestInWords() {
        Identity node = new Identity(Role.NODE, "compute2");
        Hello hello = RawClient.hello("mail", "vm").setTakeOver(true).build();
        List<Event> events;
        try (AuditLog log = new AuditLog(folder.resolve("audit.log"), 1 << 20)) {
            for (int i = 0; i < RecentEvents.MAX_EVENTS; i++) {
                log.call(Identity.ANYBODY, "DeleteVolume", "older", "OK");
            }
            log.opened(node, "10.0.0.9:1024", hello, 3);
            log.refused(node, "10.0.0.9:1024", hello, "not yours");
            log.call(node, "CreateGroupSnapshot", "mail", "PERMISSION_DENIED");
            events = log.recent().all();
        }
        assertThat(events).hasSize(RecentEvents.MAX_EVENTS);
        assertThat(events.get(0).getNumber()).isEqualTo(4);
        assertThat(events.subList(RecentEvents.MAX_EVENTS - 3, RecentEvents.MAX_EVENTS))
                .extracting(Event::getWho, Event::getVolume, Event::getWhat, Event::getRefused)
                .containsExactly(
                        tuple(node.uri(), "mail", "took it over as vm from 10.0.0.9:1024", false),
                        tuple(node.uri(), "mail", "not yours", true),
                        tuple(node.uri(), "mail", "create group snapshot: permission denied", true));
    }

    @Test
    void sumsUpRefusalsEachMinute() {
        Refusals refusals = new Refusals();
        Refusals.Caller one = new Refusals.Caller("one", "");
        assertThat(refusals.past(0, false)).isEmpty();
        for (int i = 0; i < 10; i++) {
            assertThat(refusals.hasLine(one)).isEqualTo(i < 4);
        }
        for (int i = 0; i < 1_000; i++) {
            boolean unused = refusals.hasLine(new Refusals.Caller("caller " + i, ""));
        }
        assertThat(refusals.past(TimeUnit.SECONDS.toNanos(59), false)).isEmpty();
        assertThat(refusals.past(TimeUnit.SECONDS.toNanos(61), false))
                .hasSize(2)
                .contains(new Refusals.Unwritten(one, 6));
        assertThat(refusals.hasLine(one)).isTrue();
    }

    @Test
    void takesNoMoreThanFiveFiles() throws Exception {
        try (AuditLog log = new AuditLog(folder.resolve("audit.log"), 2_000)) {
            for (int i = 0; i < 3_000; i++) {
                log.call(Identity.ANYBODY, "DeleteVolume", "mail", "OK");
            }
        }
        try (AuditLog log = new AuditLog(folder.resolve("audit.log"), 2_000)) {
            log.call(Identity.ANYBODY, "DeleteVolume", "last", "OK");
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> all = files.toList();
            assertThat(all).hasSize(5);
            for (Path file : all) {
                assertThat(Files.size(file)).isLessThanOrEqualTo(2_000);
            }
        }
        assertThat(Files.readString(folder.resolve("audit.log"))).contains("last");
    }
}
