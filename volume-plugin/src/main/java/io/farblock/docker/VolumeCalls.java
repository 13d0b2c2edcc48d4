package io.farblock.docker;

import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeState;
import io.farblock.api.node.Device;
import io.farblock.node.FileSystemType;
import io.farblock.node.NodeException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The calls of the protocol. Each can be made again; from any thread, and answered in time. */
final class VolumeCalls implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeCalls.class);

    /** What the server takes for a name; here it becomes part of a path. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}");

    private final String server;
    private final long defaultSizeBytes;
    private final ServerVolumes volumes;
    private final HostMounts mounts;
    private final MountIds ids;
    private final Turns turns;

    /** A step that may be refused. */
    @FunctionalInterface
    private interface Step {
        void fill(PluginReply.Builder reply) throws NodeException;
    }

    VolumeCalls(DockerOptions options, ServerVolumes volumes, HostMounts mounts, MountIds ids, Turns turns) {
        server = options.dataAddress();
        defaultSizeBytes = options.defaultSizeBytes();
        this.volumes = volumes;
        this.mounts = mounts;
        this.ids = ids;
        this.turns = turns;
    }

    /** Answers one call; null if the protocol has none of that name. */
    CompletableFuture<PluginReply> answer(String call, PluginRequest request) {
        String name = request.getName();
        return switch (call) {
            case "/Plugin.Activate" -> now(reply -> reply.addImplements("VolumeDriver"));
            case "/VolumeDriver.Capabilities" ->
                now(reply ->
                        reply.setCapabilities(PluginCapabilities.newBuilder().setScope("global")));
            case "/VolumeDriver.List" -> turns.answer("", () -> reply(this::list), late("the server"));
            case "/VolumeDriver.Create" -> inTurn(name, reply -> create(name, request));
            case "/VolumeDriver.Get" -> inTurn(name, reply -> reply.setVolume(get(name)));
            case "/VolumeDriver.Path" ->
                inTurn(
                        name,
                        reply ->
                                reply.setMountpoint(mountPoint(volumes.get(name).getName())));
            case "/VolumeDriver.Mount" ->
                inTurn(name, reply -> reply.setMountpoint(mount(name, request.getId())), () -> takeBack(name, request));
            case "/VolumeDriver.Unmount" -> inTurn(name, reply -> unmount(name, request.getId()));
            case "/VolumeDriver.Remove" -> inTurn(name, reply -> remove(name));
            default -> null;
        };
    }

    /**
     * Puts right what has come apart while no plugin ran: who had a volume that is mounted no more has it no more, and what
     * nobody has any more is unmounted. Waits for nobody; calls for those volumes wait for it.
     */
    void reconcile() {
        Set<String> names = ids.volumes();
        names.addAll(mounts.folders());
        for (String name : names) {
            turns.run(name, () -> reconcile(name));
        }
    }

    private void reconcile(String name) {
        try {
            if (ids.of(name).isEmpty() || !mounts.isMounted(name)) {
                LOG.info("{}: what an earlier plugin has left of it is removed; {} had it", name, ids.of(name));
                ids.clear(name);
                mounts.unmount(name);
            }
        } catch (NodeException e) {
            LOG.warn("{}: {}", name, e.getMessage());
        }
    }

    private static CompletableFuture<PluginReply> now(Step step) {
        return CompletableFuture.completedFuture(reply(step));
    }

    private CompletableFuture<PluginReply> inTurn(String name, Step step) {
        return inTurn(name, step, Turns::nothing);
    }

    private CompletableFuture<PluginReply> inTurn(String name, Step step, Runnable undo) {
        if (!NAME.matcher(name).matches()) {
            return now(reply -> {
                throw new NodeException(
                        NodeException.Kind.INVALID, "'" + name + "' is not 1 to 64 of A-Z a-z 0-9 _ . -");
            });
        }
        return turns.answer(name, () -> reply(step), late("volume " + name), undo);
    }

    private static PluginReply reply(Step step) {
        PluginReply.Builder reply = PluginReply.newBuilder().setError("");
        try {
            step.fill(reply);
            return reply.build();
        } catch (NodeException e) {
            LOG.info("refused: {}", e.getMessage());
            return PluginReply.newBuilder().setError(e.getMessage()).build();
        }
    }

    private static PluginReply late(String what) {
        return PluginReply.newBuilder()
                .setError(what + " takes longer than a caller waits; farblock status tells why. Try again")
                .build();
    }

    private void create(String name, PluginRequest request) throws NodeException {
        VolumeOptions options = VolumeOptions.of(request.getOptionsMap(), server);
        Volume there = volumes.find(name);
        if (there == null) {
            there = options.source().isEmpty()
                    ? volumes.create(name, options, defaultSizeBytes)
                    : volumes.copy(name, options);
        }
        if (options.sizeBytes() != 0 && options.sizeBytes() != there.getSizeBytes()) {
            if (there.getClonedFrom().isEmpty() || options.source().isEmpty()) {
                throw new NodeException(
                        NodeException.Kind.REFUSED,
                        "there is a volume " + name + " of " + there.getSizeBytes() + " bytes already");
            }
            volumes.enlarge(name, options.sizeBytes());
        }
    }

    private void list(PluginReply.Builder reply) throws NodeException {
        for (Volume volume : volumes.list()) {
            reply.addVolumes(
                    PluginVolume.newBuilder().setName(volume.getName()).setMountpoint(mountPoint(volume.getName())));
        }
    }

    private PluginVolume get(String name) throws NodeException {
        Volume volume = volumes.get(name);
        PluginVolume.Builder reply = PluginVolume.newBuilder()
                .setName(name)
                .setMountpoint(mountPoint(name))
                .putStatus("size", Long.toString(volume.getSizeBytes()))
                .putStatus("used", Long.toString(volume.getAllocatedBytes()))
                .putStatus("server", server)
                .putStatus(
                        "node",
                        volume.getClientsCount() == 0
                                ? ""
                                : volume.getClients(0).getName())
                .putStatus("health", health(volume));
        if (volume.containsLabels(ServerVolumes.CREATED)) {
            reply.setCreatedAt(volume.getLabelsOrThrow(ServerVolumes.CREATED));
        }
        return reply.build();
    }

    /** "ready", or in words what is wrong, with the server or here. */
    private String health(Volume volume) {
        if (volume.getState() != VolumeState.VOLUME_STATE_READY) {
            return volume.getStateReason();
        }
        try {
            Device device = mounts.device(volume.getName());
            return device == null || device.getExplanation().isEmpty() ? "ready" : device.getExplanation();
        } catch (NodeException e) {
            return e.getMessage();
        }
    }

    private String mountPoint(String name) throws NodeException {
        return mounts.isMounted(name) ? mounts.mountPoint(name).toString() : "";
    }

    private String mount(String name, String id) throws NodeException {
        Volume volume = volumes.get(name);
        FileSystemType type = FileSystemType.of(volume.getLabelsOrDefault(ServerVolumes.FILE_SYSTEM, ""));
        // First: what is mounted and nobody is known to have would be unmounted by the next plugin.
        ids.add(name, id);
        try {
            return mounts.mount(name, type).toString();
        } catch (NodeException e) {
            release(name, id);
            throw e;
        }
    }

    /** After a mount that failed or that nobody heard of. */
    private void release(String name, String id) {
        try {
            unmount(name, id);
        } catch (NodeException e) {
            LOG.warn("{}: {}", name, e.getMessage());
        }
    }

    private void takeBack(String name, PluginRequest request) {
        LOG.warn("{}: mounted too late for its caller, so it is unmounted", name);
        release(name, request.getId());
    }

    private void unmount(String name, String id) throws NodeException {
        boolean hadIt = ids.of(name).contains(id);
        // A device that somebody has attached by hand is none of this plugin's.
        if (ids.remove(name, id) == 0 && (hadIt || mounts.isMounted(name))) {
            mounts.unmount(name);
        }
    }

    /** Docker and Podman ask for that only when no container of theirs has it; ids that are left were lost on the way. */
    private void remove(String name) throws NodeException {
        Volume volume = volumes.get(name);
        Set<String> lost = ids.of(name);
        if (!lost.isEmpty() || mounts.isMounted(name)) {
            mounts.unmount(name);
            LOG.warn("{}: removed although {} never said that they had done with it", name, lost);
            ids.clear(name);
        }
        volumes.delete(volume);
    }

    @Override
    public void close() {
        turns.close();
        volumes.close();
    }
}
