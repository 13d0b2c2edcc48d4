/**
 * What somebody can do who is on the network: with no certificate, a wrong one, an old one, one that was taken back, or a
 * good one and somebody else's volume. Each test sees the attack fail, and that whoever is there rightly goes on.
 */
package io.farblock.penetration;
