package io.farblock.vduse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeviceStateTest {
    /** Each state, and every state that may follow it: the picture of docs/ARCHITECTURE.md. */
    @ParameterizedTest
    @CsvSource({
        "CREATED, ATTACHED DETACHING BROKEN REMOVED",
        "ATTACHED, RUNNING RESETTING DETACHING ORPHANED BROKEN",
        "RUNNING, RESETTING DETACHING ORPHANED BROKEN",
        "RESETTING, ATTACHED DETACHING ORPHANED BROKEN",
        "DETACHING, CREATED ATTACHED RUNNING BROKEN REMOVED",
        "ORPHANED, ATTACHED RUNNING DETACHING BROKEN",
        "BROKEN, DETACHING REMOVED",
        "REMOVED, ''"
    })
    void allowsTheseStepsAndNoOthers(DeviceState from, String followers) {
        for (DeviceState to : DeviceState.values()) {
            boolean listed = (" " + followers + " ").contains(" " + to + " ");
            assertThat(from.mayBecome(to)).as("%s to %s", from, to).isEqualTo(listed);
        }
    }

    @Test
    void refusesAStepThatIsNotAllowedAndStaysWhereItWas() {
        DeviceLifecycle life = new DeviceLifecycle("vol", DeviceState.CREATED);
        assertThatThrownBy(() -> life.become(DeviceState.RUNNING))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("vol cannot go from created to running");
        assertThat(life.state()).isEqualTo(DeviceState.CREATED);
    }

    @Test
    void takesAConditionalStepOnlyFromTheStateItNames() {
        DeviceLifecycle life = new DeviceLifecycle("vol", DeviceState.CREATED);
        life.becomeIf(DeviceState.RUNNING, DeviceState.RESETTING);
        assertThat(life.state()).isEqualTo(DeviceState.CREATED);
        life.becomeIf(DeviceState.CREATED, DeviceState.ATTACHED);
        assertThat(life.state()).isEqualTo(DeviceState.ATTACHED);
    }
}
