package io.farblock.csi;

import io.farblock.csi.proto.VolumeCapability;
import io.farblock.csi.proto.VolumeCapability.AccessMode.Mode;
import io.farblock.node.FileSystemType;
import io.farblock.node.NodeException;
import java.nio.file.Path;
import java.util.List;

/** What has to be in a request. Each check refuses with INVALID_ARGUMENT. */
final class Arguments {
    private Arguments() {}

    static String required(String value, String field) {
        if (value.isEmpty()) {
            throw Refusal.invalid(field + " is missing");
        }
        return value;
    }

    static Path path(String value, String field) {
        Path path = Path.of(required(value, field));
        if (!path.isAbsolute()) {
            throw Refusal.invalid(field + " is not absolute: " + value);
        }
        return path;
    }

    static void checkCapabilities(List<VolumeCapability> capabilities) {
        if (capabilities.isEmpty()) {
            throw Refusal.invalid("volume_capabilities is missing");
        }
        capabilities.forEach(Arguments::checkCapability);
    }

    static void checkCapability(VolumeCapability capability) {
        if (!capability.hasBlock() && !capability.hasMount()) {
            throw Refusal.invalid("the volume capability is neither block nor mount");
        }
        String reason = whyUnsupported(capability, true);
        if (reason != null) {
            throw Refusal.invalid(reason);
        }
    }

    /** Why a volume cannot be used like this, or null. */
    static String whyUnsupported(VolumeCapability capability, boolean sharedWriters) {
        Mode mode = capability.getAccessMode().getMode();
        if (mode == Mode.UNKNOWN || mode == Mode.UNRECOGNIZED) {
            return "the access mode is missing or not known";
        }
        if (mode == Mode.MULTI_NODE_MULTI_WRITER && !sharedWriters) {
            return "the volume was not made for writers on several nodes";
        }
        if (capability.hasMount()) {
            if (mode == Mode.MULTI_NODE_MULTI_WRITER) {
                return "a file system that is mounted on several nodes for writing would be destroyed: take a raw block"
                        + " volume";
            }
            if (!capability.getMount().getVolumeMountGroup().isEmpty()) {
                return "volume_mount_group is not supported";
            }
            try {
                FileSystemType unused = FileSystemType.of(capability.getMount().getFsType());
            } catch (NodeException e) {
                return e.getMessage();
            }
        }
        return null;
    }
}
