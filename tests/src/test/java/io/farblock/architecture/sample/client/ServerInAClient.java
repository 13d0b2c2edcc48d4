package io.farblock.architecture.sample.client;

import io.farblock.architecture.sample.server.Catalogue;

/** A client that knows a server. */
public record ServerInAClient(Catalogue catalogue) {}
