package io.farblock.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class UnixSocketTest {
    @TempDir
    Path work;

    private final List<FileDescriptor> descriptors = new ArrayList<>();
    private UnixSocket listener;
    private UnixSocket near;
    private UnixSocket far;

    @BeforeEach
    void connect() throws IOException {
        String path = work.resolve("socket").toString();
        listener = UnixSocket.listen(path);
        near = UnixSocket.connect(path);
        far = listener.accept();
    }

    @AfterEach
    void close() {
        descriptors.forEach(FileDescriptor::close);
        near.close();
        far.close();
        listener.close();
    }

    @Test
    void carriesDescriptorsBesideBytes() throws IOException {
        try (EventFd one = new EventFd();
                EventFd other = new EventFd()) {
            near.send(ByteBuffer.wrap(new byte[] {1, 2, 3}), one.descriptor(), other.descriptor());
            assertThat(far.receive(2, descriptors)).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2}));
            assertThat(far.receive(1, descriptors)).isEqualTo(ByteBuffer.wrap(new byte[] {3}));

            assertThat(descriptors).hasSize(2);
            new EventFd(descriptors.get(1)).signal();
            assertThat(one.drain()).isZero();
            assertThat(other.drain()).isOne();
        }
    }

    @Test
    void bringsNoDescriptorWhereNoneWasSent() throws IOException {
        try (EventFd one = new EventFd()) {
            near.send(ByteBuffer.allocate(1), one.descriptor());
            near.send(ByteBuffer.allocate(1));
            far.receive(1, descriptors);
            far.receive(1, descriptors);
            assertThat(descriptors).hasSize(1);
        }
    }

    @Test
    void waitsForAMessageThatComesInPieces() throws IOException {
        near.send(ByteBuffer.wrap(new byte[] {1, 2}));
        near.send(ByteBuffer.wrap(new byte[] {3}));
        assertThat(far.receive(3, descriptors)).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
    }

    @Test
    void tellsAnEndFromABrokenMessage() throws IOException {
        near.send(ByteBuffer.wrap(new byte[] {1, 2}));
        near.close();
        far.receive(1, descriptors);
        assertThatThrownBy(() -> far.receive(2, descriptors))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ECONNRESET));
        assertThat(far.receive(1, descriptors)).isNull();
    }

    @Test
    void refusesDescriptorsThatDoNotFit() throws IOException {
        try (EventFd one = new EventFd()) {
            FileDescriptor[] many = new FileDescriptor[UnixSocket.MAX_DESCRIPTORS + 1];
            java.util.Arrays.fill(many, one.descriptor());
            assertThatThrownBy(() -> near.send(ByteBuffer.allocate(1), many))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void namesThePathThatNobodyListensOn() {
        String path = work.resolve("nobody").toString();
        assertThatThrownBy(() -> UnixSocket.connect(path))
                .isInstanceOf(LinuxException.class)
                .hasMessageContaining(path);
    }
}
