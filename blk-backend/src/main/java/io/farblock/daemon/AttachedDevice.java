package io.farblock.daemon;

import io.farblock.api.node.Device;
import io.farblock.api.node.Target;
import io.farblock.block.StoreInfo;
import io.farblock.device.QueueCounters;
import io.farblock.vduse.DeviceLifecycle;
import io.farblock.virtio.VirtioFeatures;

/**
 * A device of this daemon and what it was attached for.
 *
 * @param name its name on the vdpa bus
 * @param volume which volume
 * @param server of which server, host:port
 * @param target what it is bound to
 * @param serial what its driver reads as serial number
 * @param life where it is in its life
 * @param device the device, served
 * @param stores where its blocks are
 * @param path its node under /dev
 */
record AttachedDevice(
        String name,
        String volume,
        String server,
        Target target,
        String serial,
        DeviceLifecycle life,
        VduseBlkDevice device,
        VolumeStores stores,
        String path) {
    /** What the local API says of it. From any thread. */
    Device describe() {
        StoreInfo info = device.info();
        Device.Builder text = Device.newBuilder()
                .setName(name)
                .setVolume(volume)
                .setServer(server)
                .setPath(path)
                .setSizeBytes(info.sizeBytes())
                .setBlockSizeBytes(info.blockSizeBytes())
                .setReadOnly(info.readOnly())
                .setSerial(serial)
                .setQueues(device.queues().size())
                .setFeatures(device.features())
                .addAllFeatureNames(VirtioFeatures.names(device.features()))
                .setState(life.state().text())
                .setExplanation(device.explanation())
                .setTarget(target);
        return addCounters(text).build();
    }

    private Device.Builder addCounters(Device.Builder text) {
        long requests = 0;
        long completed = 0;
        long malformed = 0;
        int ready = 0;
        for (QueueRunner queue : device.queues()) {
            QueueCounters counters = queue.queue().counters();
            requests += counters.requests();
            completed += counters.completed();
            malformed += counters.malformed();
            ready += queue.isReady() ? 1 : 0;
        }
        return text.setRequests(requests)
                .setInFlight(Math.max(0, requests - completed))
                .setMalformedRequests(malformed)
                .setQueuesReady(ready);
    }
}
