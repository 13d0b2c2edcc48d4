package io.farblock.daemon;

import io.farblock.metrics.MetricFamily;

/** What a daemon tells Prometheus; docs/METRICS.md says what to do about it. */
final class DaemonFamilies {
    static final MetricFamily INFO =
            MetricFamily.info("farblock_daemon_info", "The label says which version it is.", "version");
    static final MetricFamily DEVICES =
            MetricFamily.gauge("farblock_daemon_devices", "Devices that this daemon serves.");
    static final MetricFamily UNSERVED = MetricFamily.gauge(
            "farblock_daemon_unserved_devices", "VDUSE devices of this machine that this daemon does not serve.");
    static final MetricFamily DEVICE_INFO = MetricFamily.info(
            "farblock_device_info",
            "The labels say what the device is and how.",
            "device",
            "volume",
            "server",
            "state");
    static final MetricFamily SIZE = MetricFamily.gauge("farblock_device_size_bytes", "The device's size.", "device");
    static final MetricFamily CONNECTED = MetricFamily.gauge(
            "farblock_device_connected", "1 if every queue has its connection to the server.", "device");
    static final MetricFamily QUEUES =
            MetricFamily.gauge("farblock_device_queues_ready", "Queues that the driver uses.", "device");
    static final MetricFamily IN_FLIGHT = MetricFamily.gauge(
            "farblock_device_in_flight_requests", "Requests that were taken and not given back.", "device");
    static final MetricFamily LONGEST_WAIT = MetricFamily.gauge(
            "farblock_device_longest_wait_seconds",
            "For how long the request has waited that waits longest, as of a look every 5 s.",
            "device");
    static final MetricFamily UNFLUSHED = MetricFamily.gauge(
            "farblock_device_unflushed_bytes", "Acknowledged, kept here, and not known to be durable.", "device");
    static final MetricFamily RESUBMITTED = MetricFamily.gauge(
            "farblock_device_resubmitted_requests",
            "Requests that an earlier daemon had begun and this one did again.",
            "device");
    static final MetricFamily REQUESTS = MetricFamily.counter(
            "farblock_device_requests_total",
            "Requests that were answered and given back to the driver.",
            "device",
            "operation");
    static final MetricFamily BYTES = MetricFamily.counter(
            "farblock_device_bytes_total", "Bytes of the requests that succeeded.", "device", "operation");
    static final MetricFamily SECONDS = MetricFamily.counter(
            "farblock_device_request_seconds_total",
            "Times of all requests together, from the ring to the used ring.",
            "device",
            "operation");
    static final MetricFamily ERRORS = MetricFamily.counter(
            "farblock_device_errors_total", "Requests that ended with something else than success.", "device", "kind");
    static final MetricFamily MALFORMED = MetricFamily.counter(
            "farblock_device_malformed_requests_total", "Requests that the driver had built wrongly.", "device");
    static final MetricFamily RECONNECTS = MetricFamily.counter(
            "farblock_device_reconnects_total", "Connections that were made after the first, of all queues.", "device");
    static final MetricFamily REPLAYED_REQUESTS = MetricFamily.counter(
            "farblock_device_replayed_requests_total",
            "Requests that were sent again because their connection was lost.",
            "device");
    static final MetricFamily REPLAYED_WRITES = MetricFamily.counter(
            "farblock_device_replayed_writes_total",
            "Acknowledged writes that were sent again because the server may have lost them.",
            "device");
    static final MetricFamily FENCED = MetricFamily.counter(
            "farblock_device_fenced_requests_total",
            "Requests that were refused because another one has taken the volume over.",
            "device");
    static final MetricFamily REQUEST_SECONDS = MetricFamily.histogram(
            "farblock_daemon_request_seconds",
            "From the ring to the used ring, of the requests of all devices.",
            "operation");
    static final MetricFamily STAGE_SECONDS = MetricFamily.histogram(
            "farblock_daemon_stage_seconds",
            "The same by stage: ring, remote, completion. Together they are the whole.",
            "operation",
            "stage");

    private DaemonFamilies() {}
}
