package io.farblock.daemon;

import io.farblock.api.node.Device;
import io.farblock.meter.RequestCounters;
import io.farblock.meter.StageTimes;
import io.farblock.metrics.MetricSource;
import io.farblock.metrics.RequestSamples;
import io.farblock.metrics.Samples;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;

/** What a daemon knows of itself and its devices, gathered when it is asked for. */
final class DaemonMetrics implements MetricSource {
    private static final List<String> STAGES = List.of("ring", "remote", "completion");

    private final Map<String, AttachedDevice> devices;
    private final QueueLoops loops;
    private final Future<?> takenUp;
    private final Map<String, String> keyless;

    /**
     * Of the daemon that has these.
     *
     * @param devices by name; may change at any time
     * @param takenUp done when each device of an earlier daemon is served, or given up
     * @param keyless what is wrong with the keys of those that wait for them, by name; may change at any time
     */
    DaemonMetrics(
            Map<String, AttachedDevice> devices, QueueLoops loops, Future<?> takenUp, Map<String, String> keyless) {
        this.devices = devices;
        this.loops = loops;
        this.takenUp = takenUp;
        this.keyless = keyless;
    }

    @Override
    public boolean isReady() {
        return takenUp.isDone() && keyless.isEmpty();
    }

    @Override
    public void collect(Samples samples) {
        addDaemon(samples, devices.keySet(), VdpaBus.names());
        for (AttachedDevice attached : devices.values()) {
            Device counted = new DeviceReport(attached).counters();
            addDevice(samples, counted, attached.stores().isConnected());
            addRequests(samples, attached.name(), attached.device().queues());
        }
        addTimes(samples, loops.times());
    }

    static void addDaemon(Samples samples, Set<String> served, Collection<String> onBus) {
        String version = DaemonMetrics.class.getPackage().getImplementationVersion();
        samples.addInfo(DaemonFamilies.INFO, version == null ? "development" : version);
        samples.add(DaemonFamilies.DEVICES, served.size());
        samples.add(
                DaemonFamilies.UNSERVED,
                onBus.stream().filter(name -> !served.contains(name)).count());
    }

    static void addDevice(Samples samples, Device device, boolean isConnected) {
        String name = device.getName();
        samples.addInfo(DaemonFamilies.DEVICE_INFO, name, device.getVolume(), device.getServer(), device.getState());
        samples.add(DaemonFamilies.SIZE, device.getSizeBytes(), name);
        samples.add(DaemonFamilies.CONNECTED, isConnected, name);
        samples.add(DaemonFamilies.QUEUES, device.getQueuesReady(), name);
        samples.add(DaemonFamilies.IN_FLIGHT, device.getInFlight(), name);
        samples.add(DaemonFamilies.UNFLUSHED, device.getUnflushedBytes(), name);
        samples.add(DaemonFamilies.RESUBMITTED, device.getResubmittedRequests(), name);
        samples.add(DaemonFamilies.MALFORMED, device.getMalformedRequests(), name);
        samples.add(DaemonFamilies.RECONNECTS, device.getReconnects(), name);
        samples.add(DaemonFamilies.REPLAYED_REQUESTS, device.getReplayedRequests(), name);
        samples.add(DaemonFamilies.REPLAYED_WRITES, device.getReplayedWrites(), name);
        samples.add(DaemonFamilies.FENCED, device.getFencedRequests(), name);
    }

    static void addRequests(Samples samples, String name, List<QueueRunner> queues) {
        List<RequestCounters> answered = queues.stream()
                .map(queue -> queue.queue().counters().answered())
                .toList();
        RequestSamples.add(
                samples,
                DaemonFamilies.REQUESTS,
                DaemonFamilies.BYTES,
                DaemonFamilies.SECONDS,
                DaemonFamilies.ERRORS,
                answered,
                name);
        addLongestWait(samples, name, queues);
    }

    private static void addLongestWait(Samples samples, String name, List<QueueRunner> queues) {
        long seconds = queues.stream()
                .mapToLong(queue -> queue.stalls().seconds())
                .max()
                .orElse(0);
        samples.add(DaemonFamilies.LONGEST_WAIT, seconds, name);
    }

    static void addTimes(Samples samples, List<StageTimes> times) {
        RequestSamples.addTimes(samples, DaemonFamilies.REQUEST_SECONDS, DaemonFamilies.STAGE_SECONDS, STAGES, times);
    }
}
