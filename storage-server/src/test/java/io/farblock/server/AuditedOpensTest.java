package io.farblock.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.wire.proto.Hello;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which connections to volumes are noted. */
@Timeout(60)
class AuditedOpensTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    @TempDir
    Path folder;

    private StorageServer server;

    @BeforeEach
    void start() throws StartupException {
        server = StorageServer.start(ServerOptions.of(folder.resolve("data"), ANY_PORT, ANY_PORT));
        try (Operator operator = new Operator(server)) {
            operator.create("v1", false);
        }
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void notesAClientOnceWhicheverOfItsQueuesComesFirst() throws Exception {
        Hello.Builder hello = RawClient.hello("v1", "node-a").setReadOnly(true);
        try (RawClient third = connect();
                RawClient first = connect();
                RawClient again = connect()) {
            third.open(hello.setQueue(2));
            first.open(hello.setQueue(0));
            again.open(hello.setQueue(0).setIncarnation(2));
        }
        assertThat(opens()).singleElement().asString().contains("node-a");
    }

    @Test
    void notesEachSession() throws Exception {
        try (RawClient first = connect();
                RawClient second = connect()) {
            first.open(RawClient.hello("v1", "node-a").setReadOnly(true).setQueue(1));
            second.open(RawClient.hello("v1", "node-a").setReadOnly(true).setQueue(1));
        }
        assertThat(opens()).hasSize(2);
    }

    @Test
    void notesAReaderThatBecomesAWriter() throws Exception {
        Hello.Builder hello = RawClient.hello("v1", "node-a");
        try (RawClient reader = connect();
                RawClient writer = connect()) {
            reader.open(hello.setReadOnly(true));
            writer.open(hello.setReadOnly(false).setQueue(1));
        }
        assertThat(opens()).hasSize(2);
        assertThat(opens().get(1)).contains("\"writer\":true");
    }

    private RawClient connect() throws Exception {
        return new RawClient(server.dataAddress());
    }

    private List<String> opens() throws Exception {
        server.close();
        return Files.readAllLines(folder.resolve("data/audit.log")).stream()
                .filter(line -> line.contains("\"open\""))
                .toList();
    }
}
