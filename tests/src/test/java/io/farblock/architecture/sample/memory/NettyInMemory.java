package io.farblock.architecture.sample.memory;

import io.netty.buffer.ByteBuf;

/** Memory that knows Netty. */
public record NettyInMemory(ByteBuf buffer) {}
