/**
 * The virtio-blk device: what a request means, and the engine that takes requests from a ring to a store and back.
 *
 * <p>It sees neither a socket nor an ioctl: memory, ring, store, kick and interrupt are handed to it, by the daemon on
 * a kernel and by a harness without one. Everything about one queue is called on that queue's loop.
 */
package io.farblock.device;
