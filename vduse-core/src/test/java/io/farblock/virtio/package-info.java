/**
 * Tests of the virtqueue, and the driver's side of one: {@link io.farblock.virtio.DriverMemory} is the guest's memory,
 * {@link io.farblock.virtio.GuestDriver} its ring. Other modules' tests use both.
 */
package io.farblock.virtio;
