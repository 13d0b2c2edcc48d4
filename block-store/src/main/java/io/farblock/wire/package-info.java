/**
 * The bytes on the connection between client and server, version 1; docs/PROTOCOL.md is the text to it.
 *
 * <p>Layouts are offsets and static methods over a buffer. Nothing here keeps state, so any thread may call it.
 */
package io.farblock.wire;
