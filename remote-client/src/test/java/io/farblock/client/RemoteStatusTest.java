package io.farblock.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.farblock.session.ClientSession.State;
import java.net.InetSocketAddress;
import org.junit.jupiter.api.Test;

/** What an operator reads about a connection. */
class RemoteStatusTest {
    private static String inWords(State state, int requestsHeld) {
        return inWords(state, false, requestsHeld);
    }

    private static String inWords(State state, boolean failing, int requestsHeld) {
        InetSocketAddress server = InetSocketAddress.createUnresolved("10.0.0.5", 7070);
        return new RemoteStatus(server, state, 12, "taken over", failing, requestsHeld).inWords();
    }

    @Test
    void tellsForHowLongTheServerIsAwaitedAndWhatWaits() {
        assertThat(inWords(State.WAITING, 17)).isEqualTo("waiting for 10.0.0.5:7070 for 12 s, 17 requests held");
        assertThat(inWords(State.GREETING, 1)).isEqualTo("waiting for 10.0.0.5:7070 for 12 s, 1 request held");
        assertThat(inWords(State.OPEN, 3)).isEqualTo("connected to 10.0.0.5:7070 for 12 s");
        assertThat(inWords(State.WAITING, true, 0)).isEqualTo("waiting for 10.0.0.5:7070 for 12 s, requests fail");
        assertThat(inWords(State.RESTORING, 2))
                .isEqualTo("connected to 10.0.0.5:7070 and putting its writes in order for 12 s, 2 requests held");
        assertThat(inWords(State.ENDED, 0)).isEqualTo("ended, every request fails: taken over");
    }
}
