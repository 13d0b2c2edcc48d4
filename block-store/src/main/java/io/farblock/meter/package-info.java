/**
 * What requests came to and how long they took, as plain numbers.
 *
 * <p>Each object has one thread that writes, the event loop of the requests, and is read from any while that goes on. To
 * count costs a few stores; it allocates nothing and takes no lock. How the numbers leave the process is not known here.
 */
package io.farblock.meter;
