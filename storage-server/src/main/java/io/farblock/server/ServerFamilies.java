package io.farblock.server;

import io.farblock.metrics.MetricFamily;

/** What a server tells Prometheus; docs/METRICS.md says what to do about it. */
final class ServerFamilies {
    static final MetricFamily INFO =
            MetricFamily.info("farblock_server_info", "The label says which version it is.", "version");
    static final MetricFamily CONNECTIONS =
            MetricFamily.gauge("farblock_server_connections", "Data connections that there are.");
    static final MetricFamily VOLUMES = MetricFamily.gauge("farblock_server_volumes", "Volumes that there are.");
    static final MetricFamily DISK_FREE =
            MetricFamily.gauge("farblock_disk_free_bytes", "Free in the file system of the data directory.");
    static final MetricFamily DISK_RESERVE =
            MetricFamily.gauge("farblock_disk_reserve_bytes", "How much of the disk no volume may take.");
    static final MetricFamily DISK_ALLOCATED =
            MetricFamily.gauge("farblock_disk_allocated_bytes", "What all volumes and snapshots take of the disk.");
    static final MetricFamily DISK_PROVISIONED =
            MetricFamily.gauge("farblock_disk_provisioned_bytes", "The sizes of all volumes together.");
    static final MetricFamily VOLUME_SIZE =
            MetricFamily.gauge("farblock_volume_size_bytes", "The volume's size.", "volume");
    static final MetricFamily VOLUME_WRITTEN = MetricFamily.gauge(
            "farblock_volume_written_bytes", "What the volume and its snapshots take of the disk.", "volume");
    static final MetricFamily VOLUME_EXCLUSIVE = MetricFamily.gauge(
            "farblock_volume_exclusive_bytes", "The part of it that is shared with no other volume.", "volume");
    static final MetricFamily VOLUME_SNAPSHOTS =
            MetricFamily.gauge("farblock_volume_snapshots", "Snapshots of the volume.", "volume");
    static final MetricFamily VOLUME_FAILED =
            MetricFamily.gauge("farblock_volume_failed", "1 if the volume refuses I/O until it is checked.", "volume");
    static final MetricFamily VOLUME_FULL =
            MetricFamily.gauge("farblock_volume_full", "1 if writes wait for room on the disk.", "volume");
    static final MetricFamily VOLUME_DISK_WAIT = MetricFamily.gauge(
            "farblock_volume_disk_wait_seconds",
            "For how long the oldest request has been waiting for the disk.",
            "volume");
    static final MetricFamily VOLUME_CLIENTS =
            MetricFamily.gauge("farblock_volume_clients", "Sessions that have the volume open.", "volume");
    static final MetricFamily VOLUME_LEASES = MetricFamily.gauge(
            "farblock_volume_leases",
            "Writers that the volume has, by whether they have a connection.",
            "volume",
            "connected");
    static final MetricFamily VOLUME_LEASE_EPOCH =
            MetricFamily.gauge("farblock_volume_lease_epoch", "Grows whenever another one begins to write.", "volume");
    static final MetricFamily VOLUME_MERGES = MetricFamily.gauge(
            "farblock_volume_merges", "1 if layers of deleted snapshots are being merged, or are to be.", "volume");
    static final MetricFamily VOLUME_MERGE_MOVED = MetricFamily.gauge(
            "farblock_volume_merge_moved_bytes", "How much the merge that is under way has moved.", "volume");
    static final MetricFamily REQUESTS = MetricFamily.counter(
            "farblock_volume_requests_total",
            "Requests that ended; a large one of a device comes in several.",
            "volume",
            "operation");
    static final MetricFamily BYTES = MetricFamily.counter(
            "farblock_volume_bytes_total", "Bytes of the requests that succeeded.", "volume", "operation");
    static final MetricFamily SECONDS = MetricFamily.counter(
            "farblock_volume_request_seconds_total",
            "Times of all requests together, from the header to the reply.",
            "volume",
            "operation");
    static final MetricFamily ERRORS = MetricFamily.counter(
            "farblock_volume_errors_total", "Requests that ended with something else than success.", "volume", "kind");
    static final MetricFamily QUEUED = MetricFamily.gauge(
            "farblock_volume_queued_requests", "Requests that are with the disk's workers, or wait for one.", "volume");
    static final MetricFamily UNSYNCED = MetricFamily.gauge(
            "farblock_volume_unsynced_bytes", "Bytes that were written and no sync has begun for.", "volume");
    static final MetricFamily DAMAGED = MetricFamily.counter(
            "farblock_volume_damaged_blocks_total",
            "How often a block was read that is not what was written.",
            "volume");
    static final MetricFamily REQUEST_SECONDS = MetricFamily.histogram(
            "farblock_server_request_seconds", "From a request's header to its reply.", "operation");
    static final MetricFamily STAGE_SECONDS = MetricFamily.histogram(
            "farblock_server_stage_seconds",
            "The same by stage: receive, wait, disk. Together they are the whole.",
            "operation",
            "stage");

    private ServerFamilies() {}
}
