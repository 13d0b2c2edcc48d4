package io.farblock.csi;

import io.farblock.csi.proto.VolumeCapability;
import io.farblock.csi.proto.VolumeCapability.AccessMode.Mode;

/** How a volume is going to be used, by its capability. */
final class Use {
    private Use() {}

    static boolean isReadOnly(VolumeCapability capability) {
        Mode mode = capability.getAccessMode().getMode();
        return mode == Mode.SINGLE_NODE_READER_ONLY || mode == Mode.MULTI_NODE_READER_ONLY;
    }

    /** Whether no other node may have it meanwhile. */
    static boolean isOnOneNode(VolumeCapability capability) {
        return switch (capability.getAccessMode().getMode()) {
            case MULTI_NODE_READER_ONLY, MULTI_NODE_SINGLE_WRITER, MULTI_NODE_MULTI_WRITER -> false;
            default -> true;
        };
    }

    /** Whether several containers of a node may have it at once. */
    static boolean isShared(VolumeCapability capability) {
        return !isOnOneNode(capability) || capability.getAccessMode().getMode() == Mode.SINGLE_NODE_MULTI_WRITER;
    }
}
