/** Tests of the block device's queue, against a driver that may be hostile and a store that may be slow. */
package io.farblock.device;
