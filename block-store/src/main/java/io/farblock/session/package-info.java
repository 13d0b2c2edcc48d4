/**
 * The state machines of both ends of a data connection: bytes and events in, bytes and actions out.
 *
 * <p>No I/O, no thread, no clock and no randomness of its own: all four are passed in, so that the same code runs
 * under a real network and in a simulation. A session is called on one thread, its loop. Once warm, a request costs no
 * allocation on either side.
 */
package io.farblock.session;
