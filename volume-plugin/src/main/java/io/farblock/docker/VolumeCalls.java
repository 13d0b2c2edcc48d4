package io.farblock.docker;

import io.farblock.api.admin.Limits;
import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeState;
import io.farblock.api.node.Device;
import io.farblock.node.FileSystemType;
import io.farblock.node.NodeException;
import io.farblock.node.VolumeKeys;
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
    /** Docker's and Podman's have 64 characters; each becomes a line of a file. */
    private static final Pattern MOUNT_ID = Pattern.compile("[!-~]{1,256}");

    private static final int AGAIN_SECONDS = 10;
    private static final int KEPT_SECONDS = 60;

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
    CompletableFuture<Answer> answer(String call, PluginRequest request) {
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
                inTurn(
                        name,
                        reply -> reply.setMountpoint(mount(name, request.getId())),
                        () -> keepForAWhile(name, request));
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
            turns.run(name, () -> putRight(name));
        }
    }

    private void putRight(String name) {
        try {
            if (ids.of(name).isEmpty() || !mounts.isMounted(name)) {
                LOG.info("{}: is not in use any more and is taken apart; {} had it", name, ids.of(name));
                mounts.unmount(name);
                ids.clear(name);
            }
        } catch (NodeException e) {
            LOG.warn("{}: {}; tried again in {} s", name, e.getMessage(), AGAIN_SECONDS);
            turns.runLater(name, AGAIN_SECONDS, () -> putRight(name));
        }
    }

    private static CompletableFuture<Answer> now(Step step) {
        return CompletableFuture.completedFuture(reply(step));
    }

    private CompletableFuture<Answer> inTurn(String name, Step step) {
        return inTurn(name, step, Turns::nothing);
    }

    private CompletableFuture<Answer> inTurn(String name, Step step, Runnable unheard) {
        if (name.isEmpty()) {
            // So Docker repeats a call whose answer it did not understand: with the body already spent.
            return CompletableFuture.completedFuture(
                    Answer.late("whether there is such a volume cannot be told now; the plugin's log says why"));
        }
        if (!NAME.matcher(name).matches()) {
            return now(reply -> {
                throw new NodeException(
                        NodeException.Kind.INVALID, "'" + name + "' is not 1 to 64 of A-Z a-z 0-9 _ . -");
            });
        }
        return turns.answer(name, () -> reply(step), late("volume " + name), unheard);
    }

    private static Answer reply(Step step) {
        PluginReply.Builder reply = PluginReply.newBuilder().setError("");
        try {
            step.fill(reply);
            return Answer.done(reply.build());
        } catch (NodeException e) {
            LOG.info("refused: {}", e.getMessage());
            return Answer.of(e);
        }
    }

    private static Answer late(String what) {
        return Answer.late(what + " takes longer than a caller waits; farblock status tells why. Try again");
    }

    private void create(String name, PluginRequest request) throws NodeException {
        VolumeOptions options = VolumeOptions.of(request.getOptionsMap(), server);
        Volume there = volumes.find(name);
        if (there == null) {
            there = options.source().isEmpty()
                    ? volumes.create(name, options, defaultSizeBytes)
                    : volumes.copy(name, options);
        }
        requireSame(there, options);
        if (options.sizeBytes() > there.getSizeBytes()) {
            volumes.enlarge(name, options.sizeBytes());
        }
        if (!options.limits().equals(Limits.getDefaultInstance())) {
            volumes.limit(name, options.limits());
        }
    }

    /** What is there under that name already must be what is asked for: nobody is to find other data than he expects. */
    private static void requireSame(Volume there, VolumeOptions options) throws NodeException {
        boolean isClone = !options.source().isEmpty();
        if (isClone && !there.getClonedFrom().equals(ServerVolumes.sourceOf(there.getName(), options))) {
            throw isThere(there, "is no clone of " + options.source());
        }
        // A clone begins with the size of its source, and its plugin may have ended before it was made larger.
        if (options.sizeBytes() != 0
                && (isClone
                        ? options.sizeBytes() < there.getSizeBytes()
                        : options.sizeBytes() != there.getSizeBytes())) {
            throw isThere(there, "has " + there.getSizeBytes() + " bytes");
        }
        if (!VolumeKeys.fits(there, options.encrypt())) {
            throw isThere(there, VolumeKeys.inWords(there));
        }
        String type = there.getLabelsOrDefault(ServerVolumes.FILE_SYSTEM, "");
        if (options.fileSystem() != null
                && !type.isEmpty()
                && !type.equals(options.fileSystem().text())) {
            throw isThere(there, "was created with " + type);
        }
    }

    private static NodeException isThere(Volume there, String difference) {
        return new NodeException(
                NodeException.Kind.REFUSED, "there is a volume " + there.getName() + " already, which " + difference);
    }

    private void list(PluginReply.Builder reply) throws NodeException {
        Set<String> folders = mounts.folders();
        for (Volume volume : volumes.list()) {
            String name = volume.getName();
            reply.addVolumes(PluginVolume.newBuilder()
                    .setName(name)
                    .setMountpoint(folders.contains(name) ? mountPoint(name) : ""));
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
        if (!MOUNT_ID.matcher(id).matches()) {
            throw new NodeException(
                    NodeException.Kind.INVALID, "the ID of the mount is not 1 to 256 printable characters");
        }
        if (!mounts.isMounted(name)) {
            // Whoever had it before this host crashed, or somebody unmounted it by hand, has it no more.
            ids.clear(name);
        }
        // First: what is mounted and nobody is known to have would be unmounted by the next plugin.
        ids.add(name, id);
        try {
            return mounts.mount(name, type).toString();
        } catch (NodeException e) {
            release(name, id);
            throw e;
        }
    }

    /** After a mount that failed. */
    private void release(String name, String id) {
        if (ids.remove(name, id) == 0) {
            putRight(name);
        }
    }

    /**
     * After a mount that nobody heard of: its caller does not ask for the end of it, but may well try again. To begin all
     * over again then would be late again.
     */
    private void keepForAWhile(String name, PluginRequest request) {
        LOG.warn(
                "{}: mounted too late for its caller; kept for {} s in case it is asked for again", name, KEPT_SECONDS);
        if (ids.remove(name, request.getId()) == 0) {
            turns.runLater(name, KEPT_SECONDS, () -> putRight(name));
        }
    }

    private void unmount(String name, String id) throws NodeException {
        // A device that somebody has attached by hand is none of this plugin's and has no folder.
        if (ids.remove(name, id) == 0 && mounts.folders().contains(name)) {
            mounts.unmount(name);
        }
    }

    /** Docker and Podman ask for that only when no container of theirs has it; ids that are left were lost on the way. */
    private void remove(String name) throws NodeException {
        Volume volume = volumes.get(name);
        Set<String> lost = ids.of(name);
        if (!lost.isEmpty() || mounts.folders().contains(name)) {
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
