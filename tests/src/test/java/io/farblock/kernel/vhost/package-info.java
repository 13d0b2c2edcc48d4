/**
 * What a virtual machine monitor does with a device: a vhost-vdpa client of the project's own, and the tests that drive
 * the daemon with it on a real kernel.
 *
 * <p>{@link io.farblock.kernel.vhost.VhostVdpaClient} speaks to the kernel, {@link io.farblock.kernel.vhost.VmRegion} is the machine's
 * memory, {@link io.farblock.kernel.vhost.DriverRing} and {@link io.farblock.kernel.vhost.BlkDriver} are its driver.
 */
package io.farblock.kernel.vhost;
