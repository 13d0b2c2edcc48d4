package io.farblock.architecture.sample.virtio;

/** Stands for the value that the VDUSE side may know. */
public record VirtQueueAddresses(long descriptors) {}
