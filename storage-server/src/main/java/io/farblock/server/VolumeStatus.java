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
    /**
     * One session that has it open.
     *
     * @param queues how many connections it has; 0 for a writer that is not connected and holds the lease
     */
    record Client(String name, String address, boolean writer, int queues) {
        boolean isConnected() {
            return queues > 0;
        }
    }
}
