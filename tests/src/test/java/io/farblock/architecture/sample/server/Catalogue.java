package io.farblock.architecture.sample.server;

/** Stands for a part of the server. */
public record Catalogue(int volumes) {}
