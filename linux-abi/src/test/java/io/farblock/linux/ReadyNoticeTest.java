package io.farblock.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReadyNoticeTest {
    private static final int AF_UNIX = 1;
    private static final int SOCK_DGRAM = 2;
    private static final int MAX_BYTES = 64;

    @TempDir
    private Path folder;

    /** What a manager receives that listens there. */
    private static String receivedOn(String name) throws LinuxException {
        byte[] path = name.getBytes(StandardCharsets.UTF_8);
        path[0] = path[0] == '@' ? 0 : path[0];
        NativeMemory address = new NativeMemory(2 + path.length);
        address.buffer().putShort(0, (short) AF_UNIX).put(2, path);
        NativeMemory bytes = new NativeMemory(MAX_BYTES);
        try (FileDescriptor manager = new FileDescriptor(LibC.socket(AF_UNIX, SOCK_DGRAM, 0), name)) {
            assertThat(LibC.bind(manager.number(), address.address(), 2 + path.length))
                    .isZero();
            ReadyNotice.send(name, "READY=1");
            int count = (int) LibC.recv(manager.number(), bytes.address(), MAX_BYTES, 0);
            byte[] text = new byte[count];
            bytes.buffer().get(0, text);
            return new String(text, StandardCharsets.UTF_8);
        }
    }

    @Test
    void isToldOverASocketOfTheFileSystem() throws LinuxException {
        assertThat(receivedOn(folder.resolve("notify").toString())).isEqualTo("READY=1");
    }

    @Test
    void isToldOverAnAbstractSocket() throws LinuxException {
        assertThat(receivedOn("@farblock-" + UUID.randomUUID())).isEqualTo("READY=1");
    }

    @Test
    void thatIsNotThereIsAnError() {
        assertThatThrownBy(() -> ReadyNotice.send(folder.resolve("nobody").toString(), "READY=1"))
                .isInstanceOf(LinuxException.class);
    }
}
