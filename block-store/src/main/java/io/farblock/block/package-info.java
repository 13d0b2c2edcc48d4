/**
 * The contract that every source of blocks fulfils: memory, files, a volume on another machine.
 *
 * <p>Everything here is used from one thread, the event loop that owns the store. Nothing here performs I/O, and a
 * request that is prepared, submitted and completed allocates nothing.
 */
package io.farblock.block;
