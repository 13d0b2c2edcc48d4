/**
 * Volumes to files and back, over the data protocol: many requests ahead, one thread that waits for files and pipes, and
 * the loop of the store. Sizes and offsets are bytes.
 */
package io.farblock.cli.transfer;
