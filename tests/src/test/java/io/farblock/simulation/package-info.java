/**
 * One JVM, one thread, a virtual clock and a seed: guests with their rings, daemons, a network, a server and its disk, all
 * state machines the real ones, and an oracle that knows what every block may hold.
 *
 * <p>What is simulated: {@link io.farblock.simulation.Schedule time and chance}, the network ({@code Pipe}), the threads of
 * a server and its disk ({@link io.farblock.server.SimulatedServer}, {@link io.farblock.server.SimulatedDisk}), the driver
 * ({@code GuestQueue}), and what a daemon does around its queues ({@code Daemon}, {@code ClientQueue}).
 */
package io.farblock.simulation;
