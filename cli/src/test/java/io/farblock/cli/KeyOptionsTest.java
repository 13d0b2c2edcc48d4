package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.DeleteVolumeResponse;
import io.farblock.api.admin.Encryption;
import io.farblock.api.admin.Volume;
import io.farblock.tls.LinkSecurity;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class KeyOptionsTest {
    /** A server of before there was encryption does not see that it was asked for it. */
    @Test
    @Timeout(60)
    void takesAwayAVolumeThatIsPlainAgainstWhatWasAskedFor() throws Exception {
        List<String> deleted = new CopyOnWriteArrayList<>();
        Server old = NettyServerBuilder.forPort(0)
                .addService(new AdminGrpc.AdminImplBase() {
                    @Override
                    public void deleteVolume(DeleteVolumeRequest request, StreamObserver<DeleteVolumeResponse> answer) {
                        deleted.add(request.getName());
                        answer.onNext(DeleteVolumeResponse.getDefaultInstance());
                        answer.onCompleted();
                    }
                })
                .build()
                .start();
        Volume plain = Volume.newBuilder().setName("mail").build();
        Volume encrypted =
                plain.toBuilder().setEncryption(Encryption.getDefaultInstance()).build();
        try (AdminClient admin = new AdminClient("127.0.0.1:" + old.getPort(), LinkSecurity.LOOPBACK_ONLY)) {
            assertThatCode(() -> {
                        KeyOptions.requireEncrypted("key", encrypted, admin);
                        KeyOptions.requireEncrypted(null, plain, admin);
                    })
                    .doesNotThrowAnyException();
            assertThat(deleted).isEmpty();

            assertThatThrownBy(() -> KeyOptions.requireEncrypted("key", plain, admin))
                    .isInstanceOf(CommandException.class)
                    .hasMessageContaining("upgrade it first");
            assertThat(deleted).containsExactly("mail");
        } finally {
            old.shutdownNow();
        }
    }
}
