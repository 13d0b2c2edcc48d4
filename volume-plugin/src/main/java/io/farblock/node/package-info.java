/**
 * What a plugin does on the machine where a container runs: a device from the daemon, a file system on it, mounts.
 *
 * <p>{@link VolumeDevices} asks the daemon for devices, {@link FileSystems} formats and mounts them, {@link Mounts} binds
 * and unmounts, {@link Programs} is the seam to mount(8), mkfs(8) and the like. Nothing here keeps state of its own: what
 * is attached the daemon knows, what is mounted the kernel. All calls wait, for as long as the kernel and the disk take;
 * whoever calls keeps two calls for one volume apart.
 */
package io.farblock.node;
