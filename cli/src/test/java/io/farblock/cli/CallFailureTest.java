package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import java.net.ConnectException;
import java.nio.channels.ClosedChannelException;
import org.junit.jupiter.api.Test;

class CallFailureTest {
    private static CommandException of(Status status) {
        return CallFailure.of(status.asRuntimeException(), "away", "closed", ExitCode.REFUSED);
    }

    @Test
    void tellsAPeerThatIsAwayFromOneThatWentAway() {
        CommandException away =
                of(Status.UNAVAILABLE.withDescription("io exception").withCause(new ConnectException()));
        assertThat(away).hasMessage("away");
        assertThat(away.exitCode()).isEqualTo(ExitCode.UNREACHABLE);
        for (Status went : new Status[] {Status.UNAVAILABLE, Status.UNKNOWN}) {
            assertThat(of(went.withDescription("channel closed").withCause(new ClosedChannelException())))
                    .as(went.getCode().toString())
                    .hasMessage("closed");
        }
    }

    @Test
    void tellsADefectFromALostConnection() {
        CommandException defect = of(Status.UNKNOWN.withDescription("Application error processing RPC"));
        assertThat(defect).hasMessage("Application error processing RPC");
        assertThat(defect.exitCode()).isEqualTo(ExitCode.FAILED);
    }
}
