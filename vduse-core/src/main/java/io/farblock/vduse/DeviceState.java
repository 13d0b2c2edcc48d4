package io.farblock.vduse;

import java.util.Locale;

/** Where a device is in its life. */
public enum DeviceState {
    /** The kernel knows it and this process serves it; it is not on the vdpa bus. */
    CREATED,
    /** It is on the bus; no driver is running it. */
    ATTACHED,
    /** A driver is running it. */
    RUNNING,
    /** The driver is resetting it: requests in flight are being finished. */
    RESETTING,
    /** It is being taken off the bus. */
    DETACHING,
    /** It is on the bus and no process serves it. */
    ORPHANED,
    /** The kernel has given it up, because a message was not answered in time; only removing it helps. */
    BROKEN,
    /** It is gone. */
    REMOVED;

    /** Whether a device may go from this state to {@code next}. */
    public boolean mayBecome(DeviceState next) {
        return switch (this) {
            case CREATED -> next == ATTACHED || next == DETACHING || next == BROKEN || next == REMOVED;
            case ATTACHED ->
                next == RUNNING || next == RESETTING || next == DETACHING || next == BROKEN || next == ORPHANED;
            case RUNNING -> next == RESETTING || next == DETACHING || next == BROKEN || next == ORPHANED;
            case RESETTING -> next == ATTACHED || next == DETACHING || next == BROKEN || next == ORPHANED;
            case DETACHING ->
                next == ATTACHED || next == RUNNING || next == CREATED || next == BROKEN || next == REMOVED;
            case ORPHANED -> next == ATTACHED || next == RUNNING || next == DETACHING || next == BROKEN;
            case BROKEN -> next == DETACHING || next == REMOVED;
            case REMOVED -> false;
        };
    }

    /** The name that people and scripts see. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
