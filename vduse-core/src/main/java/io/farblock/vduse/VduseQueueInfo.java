package io.farblock.vduse;

import io.farblock.virtio.VirtQueueAddresses;

/**
 * What the driver has set up for one queue.
 *
 * @param index which queue
 * @param addresses its rings
 * @param initialAvailIndex the avail index that the driver began with; the kernel never updates it
 * @param ready whether the driver uses the queue
 */
public record VduseQueueInfo(int index, VirtQueueAddresses addresses, int initialAvailIndex, boolean ready) {}
