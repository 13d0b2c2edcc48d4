/**
 * The driver's memory as the device sees it: regions of I/O virtual addresses, mapped on demand, bounds-checked.
 *
 * <p>Everything here belongs to one virtqueue and is called on that queue's loop; nothing is shared between queues, so
 * nothing is locked. Addresses and lengths come from the driver and are trusted in no way.
 */
package io.farblock.memory;
