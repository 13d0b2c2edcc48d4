package io.farblock.architecture.sample.loopone;

import io.farblock.architecture.sample.looptwo.Two;

/** Half of a cycle. */
public record One(Two two) {}
