package io.farblock.docker;

import io.farblock.api.admin.AdminGrpc;
import io.farblock.api.admin.CloneSnapshotRequest;
import io.farblock.api.admin.CreateSnapshotRequest;
import io.farblock.api.admin.CreateVolumeRequest;
import io.farblock.api.admin.DeleteSnapshotRequest;
import io.farblock.api.admin.DeleteVolumeRequest;
import io.farblock.api.admin.GetVolumeRequest;
import io.farblock.api.admin.Limits;
import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.admin.ResizeVolumeRequest;
import io.farblock.api.admin.SetVolumeRequest;
import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Volume;
import io.farblock.node.NodeException;
import io.farblock.node.NodeException.Kind;
import io.farblock.node.VolumeKeys;
import io.farblock.tls.LinkSecurity;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NegotiationType;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The volumes of the storage server, by its admin API. From any thread. */
final class ServerVolumes implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServerVolumes.class);

    /** What an empty volume is to be formatted with. */
    static final String FILE_SYSTEM = "docker/fs";
    /** Of a snapshot that was taken for a clone and belongs to it: the volume that is the clone. */
    private static final String CLONE = "docker/clone";
    /** When it was created, RFC 3339. */
    static final String CREATED = "docker/created";

    /** Less than a caller waits: that the server is away is a better answer than none. */
    private static final int DEADLINE_SECONDS = 4;

    private static final char SNAPSHOT_MARK = '@';

    private final InetSocketAddress address;
    private final VolumeKeys keys;
    private final ManagedChannel channel;

    ServerVolumes(InetSocketAddress address, LinkSecurity links, VolumeKeys keys) {
        this.address = address;
        this.keys = keys;
        channel = NettyChannelBuilder.forAddress(address)
                .negotiationType(links.isEncrypted() ? NegotiationType.TLS : NegotiationType.PLAINTEXT)
                .sslContext(links.callClient())
                .build();
    }

    /** All of them. */
    List<Volume> list() throws NodeException {
        return call(admin -> admin.listVolumes(ListVolumesRequest.getDefaultInstance()))
                .getVolumesList();
    }

    /** One of them, which has to be there. */
    Volume get(String name) throws NodeException {
        return call(admin ->
                admin.getVolume(GetVolumeRequest.newBuilder().setName(name).build()));
    }

    /** One of them, or null. */
    Volume find(String name) throws NodeException {
        try {
            return get(name);
        } catch (NodeException e) {
            if (e.kind() == Kind.NOT_FOUND) {
                return null;
            }
            throw e;
        }
    }

    /** Makes a blank volume. */
    Volume create(String name, VolumeOptions options, long defaultSizeBytes) throws NodeException {
        CreateVolumeRequest.Builder blank = CreateVolumeRequest.newBuilder()
                .setName(name)
                .setSizeBytes(options.sizeBytes() == 0 ? defaultSizeBytes : options.sizeBytes())
                .putAllLabels(labels(options));
        if (!options.encrypt().isEmpty()) {
            blank.setEncryption(keys.describe(options.encrypt()));
        }
        Volume made = call(admin -> admin.createVolume(blank.build()));
        if (!VolumeKeys.fits(made, options.encrypt())) {
            // A server of before encryption: what it does not know it does not see.
            delete(made);
            throw new NodeException(
                    Kind.REFUSED, "the server knows nothing of encryption, so no volume was made: upgrade it first");
        }
        return made;
    }

    /**
     * Makes a volume that begins as another or as a snapshot. Of a volume a snapshot is taken that has the clone's name,
     * and goes with it. The clone has the size of what it was made of.
     */
    Volume copy(String name, VolumeOptions options) throws NodeException {
        String source = sourceOf(name, options);
        int mark = source.indexOf(SNAPSHOT_MARK);
        String volume = source.substring(0, mark);
        String snapshot = source.substring(mark + 1);
        Volume original = get(volume);
        if (!VolumeKeys.fits(original, options.encrypt())) {
            throw new NodeException(
                    Kind.INVALID,
                    "a clone is encrypted like what it is made of, and " + volume + " " + VolumeKeys.inWords(original));
        }
        if (options.sizeBytes() != 0 && options.sizeBytes() < original.getSizeBytes()) {
            throw new NodeException(
                    Kind.INVALID, "a clone of " + options.source() + " is at least as large as " + volume);
        }
        if (!source.equals(options.source())) {
            takeSnapshot(volume, snapshot);
        }
        return call(admin -> admin.cloneSnapshot(CloneSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setSnapshot(snapshot)
                .setName(name)
                .putAllLabels(labels(options))
                .build()));
    }

    /** The snapshot that a clone of that name begins as. */
    static String sourceOf(String name, VolumeOptions options) {
        String source = options.source();
        return source.indexOf(SNAPSHOT_MARK) < 0 ? source + SNAPSHOT_MARK + name : source;
    }

    private void takeSnapshot(String volume, String clone) throws NodeException {
        for (Snapshot there : get(volume).getSnapshotsList()) {
            if (there.getName().equals(clone)) {
                if (!there.getLabelsOrDefault(CLONE, "").equals(clone)) {
                    throw new NodeException(
                            Kind.REFUSED,
                            "there is a snapshot " + volume + SNAPSHOT_MARK + clone
                                    + " already, which was not taken for this; name it as clone-of to begin as it is");
                }
                // Of a call that has failed, or of a clone of that name that is no more: nobody knows how old it is.
                deleteSnapshot(volume, clone);
            }
        }
        Volume unused = call(admin -> admin.createSnapshot(CreateSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setName(clone)
                .putLabels(CLONE, clone)
                .build()));
    }

    private void deleteSnapshot(String volume, String snapshot) throws NodeException {
        Object unused = call(admin -> admin.deleteSnapshot(DeleteSnapshotRequest.newBuilder()
                .setVolume(volume)
                .setName(snapshot)
                .build()));
    }

    private static Map<String, String> labels(VolumeOptions options) {
        String created = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString();
        return options.fileSystem() == null
                ? Map.of(CREATED, created)
                : Map.of(CREATED, created, FILE_SYSTEM, options.fileSystem().text());
    }

    /** Has a volume keep to other limits; those that are not named stay as they are. */
    void limit(String name, Limits limits) throws NodeException {
        Volume unused = call(admin -> admin.setVolume(
                SetVolumeRequest.newBuilder().setName(name).setLimits(limits).build()));
    }

    /** Makes a volume larger; its file system follows when it is mounted. */
    void enlarge(String name, long sizeBytes) throws NodeException {
        Volume unused = call(admin -> admin.resizeVolume(ResizeVolumeRequest.newBuilder()
                .setName(name)
                .setSizeBytes(sizeBytes)
                .build()));
    }

    /** Deletes a volume, and the snapshot that was taken to make it unless somebody else uses that as well. */
    void delete(Volume volume) throws NodeException {
        String name = volume.getName();
        Object unused = call(admin -> admin.deleteVolume(
                DeleteVolumeRequest.newBuilder().setName(name).build()));
        String source = volume.getClonedFrom();
        if (source.endsWith(SNAPSHOT_MARK + name)) {
            deleteSnapshotOf(name, source.substring(0, source.indexOf(SNAPSHOT_MARK)));
        }
    }

    private void deleteSnapshotOf(String clone, String source) {
        try {
            for (Snapshot snapshot : get(source).getSnapshotsList()) {
                if (snapshot.getLabelsOrDefault(CLONE, "").equals(clone)) {
                    deleteSnapshot(source, snapshot.getName());
                }
            }
        } catch (NodeException e) {
            // The volume is gone, which is what was asked for.
            LOG.warn("{}: the snapshot that it was made of stays behind: {}", clone, e.getMessage());
        }
    }

    private <T> T call(Function<AdminGrpc.AdminBlockingStub, T> call) throws NodeException {
        try {
            return call.apply(AdminGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS));
        } catch (StatusRuntimeException e) {
            throw failure(e);
        }
    }

    private NodeException failure(StatusRuntimeException failed) {
        Status status = failed.getStatus();
        String said = status.getDescription() == null ? status.getCode().toString() : status.getDescription();
        return switch (status.getCode()) {
            case NOT_FOUND -> new NodeException(Kind.NOT_FOUND, said, failed);
            case INVALID_ARGUMENT -> new NodeException(Kind.INVALID, said, failed);
            case ALREADY_EXISTS, FAILED_PRECONDITION -> new NodeException(Kind.REFUSED, said, failed);
            case UNAVAILABLE, DEADLINE_EXCEEDED ->
                new NodeException(Kind.UNREACHABLE, "the storage server does not answer on " + address, failed);
            default ->
                // So gRPC says it of a connection that went while the call was being sent.
                status.getCause() instanceof IOException
                        ? new NodeException(Kind.UNREACHABLE, "the storage server went away from " + address, failed)
                        : new NodeException(Kind.FAILED, said, failed);
        };
    }

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
