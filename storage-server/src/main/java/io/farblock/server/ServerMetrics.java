package io.farblock.server;

import io.farblock.api.admin.Space;
import io.farblock.metrics.MetricSource;
import io.farblock.metrics.RequestSamples;
import io.farblock.metrics.Samples;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a server knows of itself and its volumes, gathered when it is asked for. */
final class ServerMetrics implements MetricSource {
    private static final Logger LOG = LoggerFactory.getLogger(ServerMetrics.class);
    private static final List<String> STAGES = List.of("receive", "wait", "disk");
    private static final double MILLIS_PER_SECOND = TimeUnit.SECONDS.toMillis(1);

    private final String version;
    private final VolumeTable volumes;
    private final Threads threads;
    private final IntSupplier connections;
    private volatile boolean ready;

    ServerMetrics(String version, VolumeTable volumes, Threads threads, IntSupplier connections) {
        this.version = version;
        this.volumes = volumes;
        this.threads = threads;
        this.connections = connections;
    }

    /** Whether the server takes requests, from now on. Any thread. */
    void ready(boolean isReady) {
        ready = isReady;
    }

    @Override
    public boolean isReady() {
        return ready;
    }

    @Override
    public void collect(Samples samples) {
        samples.addInfo(ServerFamilies.INFO, version);
        samples.add(ServerFamilies.CONNECTIONS, connections.getAsInt());
        samples.add(ServerFamilies.VOLUMES, volumes.count());
        addDisk(samples);
        for (VolumeRecord record : volumes.catalogue().list()) {
            addVolume(samples, record.getName());
        }
        for (VolumeControl control : volumes.controls()) {
            ServedVolume served = control.served();
            if (served != null) {
                addTraffic(samples, control.name(), served.volume());
            }
        }
        RequestSamples.addTimes(
                samples,
                ServerFamilies.REQUEST_SECONDS,
                ServerFamilies.STAGE_SECONDS,
                STAGES,
                threads.times().all());
    }

    private void addDisk(Samples samples) {
        try {
            Space space = volumes.space();
            samples.add(ServerFamilies.DISK_FREE, space.getFreeBytes());
            samples.add(ServerFamilies.DISK_RESERVE, space.getReserveBytes());
            samples.add(ServerFamilies.DISK_ALLOCATED, space.getAllocatedBytes());
            samples.add(ServerFamilies.DISK_PROVISIONED, space.getProvisionedBytes());
        } catch (VolumeException e) {
            LOG.debug("nothing is said of the disk: {}", e.getMessage());
        }
    }

    private void addVolume(Samples samples, String name) {
        try {
            VolumeStatus status = volumes.get(name);
            addState(samples, name, status);
            addClients(samples, name, status);
            MergeStatus merge = status.merge();
            samples.add(ServerFamilies.VOLUME_MERGES, merge != null, name);
            samples.add(ServerFamilies.VOLUME_MERGE_MOVED, merge == null ? 0 : merge.movedBytes(), name);
        } catch (VolumeException e) {
            // Deleted a moment ago, or its disk cannot even be looked at: what it counts is told still.
            LOG.debug("nothing is said of the state of volume {}: {}", name, e.getMessage());
        }
    }

    private static void addState(Samples samples, String name, VolumeStatus status) {
        samples.add(ServerFamilies.VOLUME_SIZE, status.record().getSizeBytes(), name);
        samples.add(ServerFamilies.VOLUME_WRITTEN, status.space().allocatedBytes(), name);
        samples.add(ServerFamilies.VOLUME_EXCLUSIVE, status.space().exclusiveBytes(), name);
        samples.add(ServerFamilies.VOLUME_SNAPSHOTS, status.record().getSnapshotsCount(), name);
        samples.add(ServerFamilies.VOLUME_FAILED, status.failure() != null, name);
        samples.add(ServerFamilies.VOLUME_FULL, status.full(), name);
        samples.add(ServerFamilies.VOLUME_DISK_WAIT, status.diskWaitMillis() / MILLIS_PER_SECOND, name);
    }

    private static void addClients(Samples samples, String name, VolumeStatus status) {
        long connected = status.clients().stream()
                .filter(VolumeStatus.Client::isConnected)
                .count();
        long writers =
                status.clients().stream().filter(VolumeStatus.Client::writer).count();
        long connectedWriters = status.clients().stream()
                .filter(client -> client.writer() && client.isConnected())
                .count();
        samples.add(ServerFamilies.VOLUME_CLIENTS, connected, name);
        samples.add(ServerFamilies.VOLUME_LEASES, connectedWriters, name, "true");
        samples.add(ServerFamilies.VOLUME_LEASES, writers - connectedWriters, name, "false");
        samples.add(ServerFamilies.VOLUME_LEASE_EPOCH, status.record().getLeaseEpoch(), name);
    }

    private static void addTraffic(Samples samples, String name, FileVolume volume) {
        RequestSamples.add(
                samples,
                ServerFamilies.REQUESTS,
                ServerFamilies.BYTES,
                ServerFamilies.SECONDS,
                ServerFamilies.ERRORS,
                volume.counters().all(),
                name);
        samples.add(ServerFamilies.QUEUED, volume.queued(), name);
        samples.add(ServerFamilies.UNSYNCED, volume.dirty().count(), name);
        samples.add(ServerFamilies.DAMAGED, volume.layers().checksums().damagedBlocks(), name);
    }
}
