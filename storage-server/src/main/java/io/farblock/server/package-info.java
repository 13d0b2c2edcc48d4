/**
 * The storage server: volumes in sparse files, served over TCP, administered over gRPC.
 *
 * <p>StorageServer puts it together. From the disk up: {@code Disk} makes the system calls,
 * {@code Catalogue} knows which volumes there are, {@code VolumeFiles} which file holds which byte, {@code FileVolume}
 * owns the threads that wait for the disk, {@code FileStore} serves one connection. Event loops never wait for a disk.
 */
package io.farblock.server;
