package io.farblock.server;

import java.util.List;

/**
 * What there is to say of a volume at one moment.
 *
 * @param failure why no I/O is served, or null
 * @param full whether writes wait for room on the disk
 * @param clients who has it open, the writer first
 */
record VolumeStatus(VolumeRecord record, long allocatedBytes, String failure, boolean full, List<Client> clients) {
    /**
     * One session that has it open.
     *
     * @param queues how many connections it has; 0 for a writer that is away and still holds the lease
     */
    record Client(String name, String address, boolean writer, int queues) {}
}
