/** Tests of what is done with system calls, on this machine's own kernel. */
package io.farblock.linux;
