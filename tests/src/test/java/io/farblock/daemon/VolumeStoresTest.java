package io.farblock.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.Encryption;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.DeviceRecord;
import io.farblock.encryption.KeySource;
import io.farblock.server.ServerOptions;
import io.farblock.server.StorageServer;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The stores of a device over a server, without a kernel. */
@Timeout(60)
class VolumeStoresTest {
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    private static final int KEY_BYTES = 64;
    private static final long MIB = 1 << 20;

    @TempDir
    Path work;

    private final MultiThreadIoEventLoopGroup group = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    private final IoEventLoop loop = group.next();
    private StorageServer server;
    private ManagedChannel channel;
    private AdminGrpc.AdminBlockingStub admin;

    @BeforeEach
    void start() throws Exception {
        server = StorageServer.start(ServerOptions.of(work.resolve("data"), ANY_PORT, ANY_PORT));
        channel = NettyChannelBuilder.forAddress(server.adminAddress())
                .usePlaintext()
                .build();
        admin = AdminGrpc.newBlockingStub(channel);
    }

    @AfterEach
    void stop() throws Exception {
        channel.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
        server.close();
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    private DaemonOptions node(int number) {
        return new DaemonOptions(work.resolve("socket"), 1, 0, "node-" + number, new UUID(number, number));
    }

    private DeviceRecord record(boolean takeOver) {
        return DeviceRecord.newBuilder()
                .setRequest(AttachRequest.newBuilder()
                        .setVolume("mail")
                        .setServer("127.0.0.1:" + server.dataAddress().getPort())
                        .setTakeOver(takeOver))
                .setSessionId(ByteString.copyFrom(new byte[16]))
                .build();
    }

    private VolumeStores open(DaemonOptions options, boolean takeOver) throws DaemonException {
        return VolumeStores.open(options, record(takeOver), List.of(loop));
    }

    private KeySource keys(Encryption.Builder described) throws Exception {
        Path folder = Files.createDirectory(work.resolve("keys"));
        byte[] key = new byte[KEY_BYTES];
        new Random(1).nextBytes(key);
        Path file = Files.write(folder.resolve("mail.key"), key);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        KeySource keys = new KeySource(folder, null);
        var how = keys.find("mail").describe();
        described.setCipher(how.getCipher()).setKey(how.getKey()).setCheck(how.getCheck());
        return keys;
    }

    private CreateVolumeRequest.Builder wanted() {
        return CreateVolumeRequest.newBuilder().setName("mail").setSizeBytes(8 * MIB);
    }

    private String writer() {
        return admin.getVolume(GetVolumeRequest.newBuilder().setName("mail").build())
                .getClients(0)
                .getName();
    }

    /** Or a daemon that goes on with the device would refuse what is beyond the old end. */
    @Test
    void knowsTheSizeOfNow() throws Exception {
        var unused = admin.createVolume(wanted().build());
        VolumeStores stores = open(node(1), false);

        var grown = admin.resizeVolume(ResizeVolumeRequest.newBuilder()
                .setName("mail")
                .setSizeBytes(16 * MIB)
                .build());
        assertThat(grown.getSizeBytes()).isEqualTo(16 * MIB);

        while (stores.blocks().get(0).info().sizeBytes() != 16 * MIB) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(loop.submit(() -> stores.currentWelcome().getInfo().getSizeBytes())
                        .get())
                .isEqualTo(16 * MIB);
        stores.close();
    }

    @Test
    void takesNoVolumeFromItsWriterThatItHasNoKeyFor() throws Exception {
        Encryption.Builder encryption = Encryption.newBuilder();
        KeySource keys = keys(encryption);
        var unused = admin.createVolume(wanted().setEncryption(encryption).build());
        VolumeStores first = open(node(1).withKeys(keys, false), false);
        DaemonOptions without = node(2).withKeys(new KeySource(work.resolve("nothing"), null), false);

        assertThatThrownBy(() -> open(without, true)).hasMessageContaining("the key 'mail' is not here");

        assertThat(writer()).isEqualTo("node-1");
        VolumeStores second = open(node(2).withKeys(keys, false), true);
        assertThat(writer()).isEqualTo("node-2");
        second.close();
        first.close();
    }

    @Test
    void refusesPlainVolumesIfOnlyEncryptedOnesAreWanted() throws Exception {
        var unused = admin.createVolume(wanted().build());
        DaemonOptions options = node(1).withKeys(new KeySource(work.resolve("nothing"), null), true);

        for (boolean takeOver : new boolean[] {false, true}) {
            assertThatThrownBy(() -> open(options, takeOver))
                    .hasMessageContaining("volume mail is not encrypted, and this daemon was started with");
        }

        VolumeStores plain = open(node(2), false);
        assertThat(writer()).isEqualTo("node-2");
        plain.close();
    }
}
