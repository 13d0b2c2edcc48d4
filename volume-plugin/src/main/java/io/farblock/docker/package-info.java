/**
 * The volume plugin for Docker and Podman: volumes of a storage server under the names that {@code farblock volume} has,
 * mounted on this host for as long as a container has them.
 *
 * <p>{@link io.farblock.docker.DockerPlugin} listens on a Unix socket, {@code PluginHttp} speaks HTTP, {@code VolumeCalls}
 * is the protocol's calls, {@code ServerVolumes} the volumes on the server, {@code HostMounts} the mounts of this host,
 * {@code MountIds} who asked for each, {@code Turns} sees that a volume has one call at a time and that every caller is
 * answered in time.
 *
 * <p>The plugin moves no data: it can be stopped, killed and replaced while containers use their volumes.
 */
package io.farblock.docker;
