package io.farblock.csi;

import io.farblock.api.admin.OnNoSpace;
import io.farblock.csi.proto.CreateVolumeRequest;
import io.farblock.csi.proto.VolumeCapability;
import io.farblock.csi.proto.VolumeCapability.AccessMode.Mode;
import io.farblock.csi.proto.VolumeContentSource;
import java.util.Map;

/**
 * What a new volume is to be like, apart from name and size.
 *
 * @param blockSizeBytes 0 for the server's default
 * @param sharedWriters whether several nodes may write to it at once
 * @param encrypt the key's name; empty for none, but a copy is encrypted like its source
 * @param source what it begins as, in words; "zeros" if nothing
 */
record VolumeWish(int blockSizeBytes, OnNoSpace onNoSpace, boolean sharedWriters, String encrypt, String source) {
    private static final String BLOCK_SIZE = "blockSize";
    private static final String ON_NO_SPACE = "onNoSpace";
    private static final String ENCRYPT = "encrypt";
    /** The provisioner's own: it adds the names of claim and volume, and takes the type of the file system. */
    private static final String ORCHESTRATOR_PREFIX = "csi.storage.k8s.io/";

    /** Refuses with INVALID_ARGUMENT what this driver does not know. */
    static VolumeWish of(CreateVolumeRequest request) {
        int blockSizeBytes = 0;
        OnNoSpace onNoSpace = OnNoSpace.ON_NO_SPACE_QUEUE;
        String encrypt = "";
        for (Map.Entry<String, String> parameter : request.getParametersMap().entrySet()) {
            String value = parameter.getValue();
            switch (parameter.getKey()) {
                case BLOCK_SIZE -> blockSizeBytes = blockSize(value);
                case ON_NO_SPACE -> onNoSpace = onNoSpace(value);
                case ENCRYPT -> encrypt = Arguments.required(value, ENCRYPT);
                default -> checkForeign(parameter.getKey());
            }
        }
        return new VolumeWish(
                blockSizeBytes,
                onNoSpace,
                hasSharedWriters(request),
                encrypt,
                source(request.getVolumeContentSource()));
    }

    /** As it is noted on the server, to know the same wish again. */
    String inWords() {
        return "blockSize=" + (blockSizeBytes == 0 ? "default" : blockSizeBytes) + " onNoSpace="
                + (onNoSpace == OnNoSpace.ON_NO_SPACE_FAIL ? "fail" : "queue") + " writers="
                + (sharedWriters ? "shared" : "one") + (encrypt.isEmpty() ? "" : " encrypt=" + encrypt) + " source="
                + source;
    }

    static void checkForeign(String parameter) {
        if (!parameter.startsWith(ORCHESTRATOR_PREFIX)) {
            throw Refusal.invalid("parameter " + parameter + " is not known here");
        }
    }

    private static int blockSize(String value) {
        return switch (value) {
            case "512" -> 512;
            case "4096" -> 4096;
            default -> throw Refusal.invalid(BLOCK_SIZE + " is 512 or 4096, not " + value);
        };
    }

    private static OnNoSpace onNoSpace(String value) {
        return switch (value) {
            case "queue" -> OnNoSpace.ON_NO_SPACE_QUEUE;
            case "fail" -> OnNoSpace.ON_NO_SPACE_FAIL;
            default -> throw Refusal.invalid(ON_NO_SPACE + " is queue or fail, not " + value);
        };
    }

    private static boolean hasSharedWriters(CreateVolumeRequest request) {
        for (VolumeCapability capability : request.getVolumeCapabilitiesList()) {
            if (capability.getAccessMode().getMode() == Mode.MULTI_NODE_MULTI_WRITER) {
                return true;
            }
        }
        return false;
    }

    private static String source(VolumeContentSource source) {
        return switch (source.getTypeCase()) {
            case SNAPSHOT ->
                "snapshot:" + Arguments.required(source.getSnapshot().getSnapshotId(), "snapshot_id");
            case VOLUME -> "volume:" + Arguments.required(source.getVolume().getVolumeId(), "volume_id");
            case TYPE_NOT_SET -> "zeros";
        };
    }
}
