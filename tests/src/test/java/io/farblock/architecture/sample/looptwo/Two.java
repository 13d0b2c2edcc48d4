package io.farblock.architecture.sample.looptwo;

import io.farblock.architecture.sample.loopone.One;

/** The other half of a cycle. */
public record Two(One one) {}
