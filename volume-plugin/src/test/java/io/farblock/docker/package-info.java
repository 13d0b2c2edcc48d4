/** The volume plugin against a real storage server, a daemon that is played and a host without disks. */
package io.farblock.docker;
