package io.farblock.architecture.sample.server;

import io.prometheus.metrics.model.snapshots.Labels;

/** A server that knows how its metrics leave it. */
public record PrometheusInAServer(Labels labels) {}
