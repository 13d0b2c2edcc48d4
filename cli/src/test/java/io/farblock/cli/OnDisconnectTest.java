package io.farblock.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OnDisconnectTest {
    @Test
    void requestsWaitForAsLongAsItTakes() {
        assertThat(OnDisconnect.failAfterMillis("queue")).isZero();
    }

    @ParameterizedTest
    @CsvSource({"fail-after=250ms, 250", "fail-after=30s, 30000", "fail-after=5m, 300000", "fail-after=2h, 7200000"})
    void requestsFailAfterATime(String text, int millis) {
        assertThat(OnDisconnect.failAfterMillis(text)).isEqualTo(millis);
    }

    @ParameterizedTest
    @ValueSource(strings = {"queue", "fail-after=250ms", "fail-after=30s"})
    void isShownAsItIsWritten(String text) {
        assertThat(OnDisconnect.text(OnDisconnect.failAfterMillis(text))).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "fail",
                "fail-after",
                "fail-after=",
                "fail-after=30",
                "fail-after=0s",
                "fail-after=-1s",
                "fail-after=999h",
                "Queue"
            })
    void nothingElseIsUnderstood(String text) {
        assertThatThrownBy(() -> OnDisconnect.failAfterMillis(text))
                .isInstanceOf(CommandException.class)
                .hasMessageContaining("neither 'queue' nor 'fail-after='");
    }
}
