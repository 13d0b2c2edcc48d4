/**
 * Tests against the kernel's own VDUSE: real devices, real file systems, real processes.
 *
 * <p>They need root and a kernel with VDUSE, and are run in the test VM by {@code tests/kernel/run}; elsewhere they are
 * skipped and say so, unless {@code FARBLOCK_REQUIRE_KERNEL=1} makes a kernel that lacks VDUSE a failure.
 */
package io.farblock.kernel;
