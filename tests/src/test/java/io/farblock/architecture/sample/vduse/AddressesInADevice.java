package io.farblock.architecture.sample.vduse;

import io.farblock.architecture.sample.virtio.VirtQueueAddresses;

/** A device that knows where a ring is, which is allowed. */
public record AddressesInADevice(VirtQueueAddresses addresses) {}
