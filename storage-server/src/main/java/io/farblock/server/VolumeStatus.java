package io.farblock.server;

import java.util.List;

/**
 * What there is to say of a volume at one moment.
 *
 * @param space what it takes on the disk
 * @param failure why no I/O is served, or null
 * @param full whether writes wait for room on the disk
 * @param diskWaitMillis for how long the oldest request has been waiting for the disk; 0 if none is
 * @param clients who has it open, the writers first
 * @param merge how far the merge of two of its layers is; null if there is none
 */
record VolumeStatus(
        VolumeRecord record,
        SpaceUse space,
        String failure,
        boolean full,
        long diskWaitMillis,
        List<Client> clients,
        MergeStatus merge) {
    /** @param control null if the volume was not used since the server was started */
    static VolumeStatus of(VolumeRecord record, SpaceUse space, VolumeControl control) {
        ServedVolume served = control == null ? null : control.served();
        FileVolume files = served == null ? null : served.volume();
        String recorded = record.getFailure().isEmpty() ? null : record.getFailure();
        return new VolumeStatus(
                record,
                space,
                files == null ? recorded : files.failure(),
                files != null && files.space().isFull(),
                control == null ? 0 : control.diskWaitMillis(),
                clients(served, record),
                merge(record, control));
    }

    // The record knows first.
    private static MergeStatus merge(VolumeRecord record, VolumeControl control) {
        if (MergePlan.of(record) == null) {
            return null;
        }
        MergeStatus status = control == null ? null : control.merge().status();
        return status == null ? new MergeStatus(0, 0, null) : status;
    }

    /** @param served null if the volume is not open */
    static List<Client> clients(ServedVolume served, VolumeRecord record) {
        return served == null ? OpenSessions.absentHolder(record) : served.clients(record);
    }

    /**
     * One session that has it open.
     *
     * @param queues how many connections it has; 0 for a writer that is not connected and holds the lease
     */
    record Client(String name, String address, boolean writer, int queues) {
        boolean isConnected() {
            return queues > 0;
        }

        /** What somebody hears who wants the volume for himself, and what mends it. */
        String inUse(String volume) {
            return isConnected()
                    ? "volume " + volume + " is in use by " + name + " (" + address + "): detach it there"
                    : "volume " + volume + " is held by " + name
                            + ", which is not connected: detach it there, or run farblock volume release " + volume;
        }
    }
}
