/** Tests of the VDUSE ABI's numbers and of what a device may be called. */
package io.farblock.vduse;
