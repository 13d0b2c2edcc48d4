/**
 * Linux itself: system calls, file descriptors, eventfds and mappings, through JNA direct mapping.
 *
 * <p>The only package that imports JNA. It knows no device, no ring and no volume. Calls may come from any thread; a
 * call that can block says so.
 */
package io.farblock.linux;
