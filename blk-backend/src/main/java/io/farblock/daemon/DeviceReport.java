package io.farblock.daemon;

import io.farblock.api.node.Answered;
import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Device;
import io.farblock.api.node.Target;
import io.farblock.block.BlockOperation;
import io.farblock.block.BlockStatus;
import io.farblock.block.StoreInfo;
import io.farblock.device.QueueCounters;
import io.farblock.meter.RequestCounters;
import io.farblock.vduse.DeviceState;
import io.farblock.virtio.VirtioFeatures;
import java.util.ArrayList;
import java.util.List;

/** What the local API says of a device of this daemon. From any thread. */
final class DeviceReport {
    private final AttachedDevice attached;
    private final VduseBlkDevice device;

    DeviceReport(AttachedDevice attached) {
        this.attached = attached;
        this.device = attached.device();
    }

    /** All of it. */
    Device describe() {
        AttachRequest request = attached.record().getRequest();
        StoreInfo info = device.info();
        Device.Builder text = Device.newBuilder()
                .setName(attached.name())
                .setVolume(request.getVolume())
                .setServer(request.getServer())
                .setPath(attached.path())
                .setSizeBytes(info.sizeBytes())
                .setBlockSizeBytes(info.blockSizeBytes())
                .setReadOnly(info.readOnly())
                .setEncryptionKey(attached.stores().welcome().getEncryption().getKey())
                .setSerial(attached.serial())
                .setQueues(device.queues().size())
                .setFeatures(device.features())
                .addAllFeatureNames(VirtioFeatures.names(device.features()))
                .setState(attached.life().state().text())
                .setTarget(request.getTarget())
                .setFailAfterMillis(request.getFailAfterMillis())
                .setPublication(request.getPublication())
                .setTakeovers(attached.record().getTakeovers());
        if (request.getTarget() == Target.TARGET_VM) {
            text.setHypervisorOptions(
                    Hypervisors.options(text.getPath(), device.queues().size()));
        }
        addCounters(text);
        attached.stores().addCounters(text);
        return text.setExplanation(explanation(text.getInFlight())).build();
    }

    /** What is counted, with what it is; nothing for which the kernel would have to be asked. */
    Device counters() {
        AttachRequest request = attached.record().getRequest();
        Device.Builder text = Device.newBuilder()
                .setName(attached.name())
                .setVolume(request.getVolume())
                .setServer(request.getServer())
                .setSizeBytes(device.info().sizeBytes())
                .setState(attached.life().state().text());
        addCounters(text);
        attached.stores().addCounters(text);
        return text.build();
    }

    /**
     * Of a device that is not this daemon's.
     *
     * @param keyless what is wrong with its key, if this daemon is to serve it as soon as it has that; or null
     */
    static Device ofUnserved(String name, String keyless) {
        String server = DeviceUse.server(name);
        return Device.newBuilder()
                .setName(name)
                .setState(server.isEmpty() ? DeviceState.ORPHANED.text() : "foreign")
                .setExplanation(server.isEmpty() ? whyOrphaned(name, keyless) : "served by " + server)
                .build();
    }

    private static String whyOrphaned(String name, String keyless) {
        return keyless == null
                ? "served by nobody, its I/O waits; farblock detach --force " + name + " removes it"
                : "its I/O waits for its key: " + keyless;
    }

    private void addCounters(Device.Builder text) {
        long requests = 0;
        long completed = 0;
        long malformed = 0;
        long resubmitted = 0;
        int ready = 0;
        List<RequestCounters> answered = new ArrayList<>();
        for (QueueRunner queue : device.queues()) {
            QueueCounters counters = queue.queue().counters();
            answered.add(counters.answered());
            requests += counters.requests();
            completed += counters.completed();
            malformed += counters.malformed();
            resubmitted += queue.resubmitted();
            ready += queue.isReady() ? 1 : 0;
        }
        text.setRequests(requests)
                .setInFlight(Math.max(0, requests - completed))
                .setMalformedRequests(malformed)
                .setResubmittedRequests(resubmitted)
                .setQueuesReady(ready);
        addAnswered(text, answered);
    }

    private static void addAnswered(Device.Builder text, List<RequestCounters> counters) {
        for (RequestCounters counted : counters) {
            for (BlockOperation operation : BlockOperation.values()) {
                Answered.Builder sum = switch (operation) {
                    case READ -> text.getReadsBuilder();
                    case WRITE -> text.getWritesBuilder();
                    default -> text.getOthersBuilder();
                };
                sum.setRequests(sum.getRequests() + counted.requests(operation))
                        .setBytes(sum.getBytes() + counted.bytes(operation))
                        .setNanos(sum.getNanos() + counted.nanos(operation));
            }
            for (BlockStatus status : BlockStatus.values()) {
                text.setErrors(text.getErrors() + (status == BlockStatus.OK ? 0 : counted.endings(status)));
            }
        }
    }

    private String explanation(long inFlight) {
        String waiting = switch (attached.life().state()) {
            case RESETTING -> "the driver's reset waits for " + requests(inFlight);
            case DETACHING -> "taking it away waits for " + (inFlight == 0 ? "the kernel" : requests(inFlight));
            case BROKEN ->
                "the kernel has given it up, because a message was not answered in time; only"
                        + " farblock detach helps";
            case CREATED, ATTACHED, RUNNING, ORPHANED, REMOVED -> "";
        };
        String ofStores = attached.stores().inWords();
        // Whoever has no connection says so already.
        return joined(joined(waiting, ofStores.isEmpty() ? device.stall() : ofStores), device.explanation());
    }

    private static String requests(long count) {
        return count == 1 ? "1 request" : count + " requests";
    }

    private static String joined(String first, String second) {
        return first.isEmpty() || second.isEmpty() ? first + second : first + "; " + second;
    }
}
