/**
 * The split virtqueue of virtio 1.2, section 2.7, from the device's side.
 *
 * <p>It reads and writes rings in driver memory and knows neither system calls nor what the requests mean. One queue
 * is called on one loop. The driver may be hostile: every index, length and flag is read once and checked.
 */
package io.farblock.virtio;
