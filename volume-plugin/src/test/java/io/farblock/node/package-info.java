/** What the tests of both plugins have in common. */
package io.farblock.node;
