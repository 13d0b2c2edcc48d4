/** Tests of queues on real event loops, driven natively: memory is a memfd, kicks and interrupts are eventfds. */
package io.farblock.daemon;
