/**
 * The node daemon: devices of this machine, their loops, their attachment to the kernel, and the local API.
 *
 * <p>It wires what the other packages keep apart: a kernel device, its queues, a remote store for each queue, and event
 * loops. A call that can wait in the kernel runs in a helper process, never in this one.
 */
package io.farblock.daemon;
