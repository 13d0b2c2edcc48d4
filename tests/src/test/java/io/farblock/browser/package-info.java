/** The page of a server in a real browser. */
package io.farblock.browser;
