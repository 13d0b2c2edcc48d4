/**
 * The benchmark: our device and others, driven in turn by the same driver in the same run.
 *
 * <p>{@link io.farblock.bench.DevicePathBench} is the program; docs/PERFORMANCE.md says how to run it and what came out.
 */
package io.farblock.bench;
