package io.farblock.architecture.sample.block;

import com.sun.jna.Pointer;

/** A contract that knows native code. */
public record NativeCodeInTheContract(Pointer pointer) {}
