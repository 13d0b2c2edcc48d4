/**
 * A volume on another machine as a {@link io.farblock.block.BlockStore}: the client session on a Netty channel.
 *
 * <p>A store lives on one event loop, which owns its connection as well; stores of one volume may live on different
 * loops. All decisions are the session's, here are only channels and timers.
 */
package io.farblock.client;
