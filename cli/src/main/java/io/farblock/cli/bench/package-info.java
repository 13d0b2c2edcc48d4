/** Measures a store: requests in a closed loop, and how long they took. */
package io.farblock.cli.bench;
