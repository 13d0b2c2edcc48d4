package io.farblock.session;

import io.farblock.wire.ControlFrame;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.Welcome;

/** What a hello must be, and what both ends agree on: the smaller of two limits, the features that both know. */
final class HelloRules {
    /** Names are for people and go into messages: long enough for a host name and more. */
    private static final int MAX_NAME_CHARS = 255;

    private static final int PAYLOAD_UNIT_BYTES = 4096;
    private static final int MAX_U16 = 0xFFFF;

    private HelloRules() {}

    /** Why the hello makes no sense, or null. */
    static String invalid(Hello hello) {
        if (hello.getClientId().size() != ControlFrame.ID_BYTES
                || hello.getSessionId().size() != ControlFrame.ID_BYTES) {
            return "client and session are named by 16 bytes each";
        }
        if (!hello.getVolumeId().isEmpty() && hello.getVolumeId().size() != ControlFrame.ID_BYTES) {
            return "a volume's id has 16 bytes";
        }
        if (hello.getVolume().length() > MAX_NAME_CHARS || hello.getClientName().length() > MAX_NAME_CHARS) {
            return "a name has at most " + MAX_NAME_CHARS + " characters";
        }
        if (hello.getQueue() < 0 || hello.getQueue() > MAX_U16 || hello.getIncarnation() <= 0) {
            return "queues are 0 to 65535, incarnations begin at 1";
        }
        return invalidLimits(hello);
    }

    private static String invalidLimits(Hello hello) {
        if (hello.getMaxPayloadBytes() < PAYLOAD_UNIT_BYTES || hello.getMaxPayloadBytes() % PAYLOAD_UNIT_BYTES != 0) {
            return "the longest payload is a multiple of 4096";
        }
        return hello.getMaxInFlight() < 1 ? "at least one request must be allowed in flight" : null;
    }

    static boolean speaksOurVersion(Hello hello) {
        return hello.getMinVersion() <= FrameLayout.VERSION && hello.getMaxVersion() >= FrameLayout.VERSION;
    }

    static Welcome welcome(Hello hello, OpenVolume volume, ServerLimits limits, String serverName) {
        Welcome.Builder welcome = Welcome.newBuilder()
                .setVersion(FrameLayout.VERSION)
                .setFeatures(hello.getFeatures() & FrameLayout.FEATURES)
                .setVolumeId(ControlFrame.idBytes(volume.store().info().volumeId()))
                .setVolumeGeneration(volume.generation())
                .setEpoch((int) volume.epoch())
                .setDurabilityVerifier(volume.durabilityVerifier())
                .setMaxPayloadBytes(Math.min(hello.getMaxPayloadBytes(), limits.maxPayloadBytes()))
                .setMaxInFlight(Math.min(hello.getMaxInFlight(), limits.maxInFlight()))
                .setMaxInFlightBytes(limits.maxInFlightBytes())
                .setInfo(ControlFrame.volumeInfo(volume.store().info()))
                .setServerName(serverName)
                .setKeepAliveMillis(limits.keepAliveMillis())
                .setSharedWriters(volume.hasSharedWriters());
        if (volume.encryption() != null) {
            welcome.setEncryption(volume.encryption());
        }
        return welcome.build();
    }

    /** Why a welcome cannot be lived with, or null. */
    static String invalid(Welcome welcome) {
        if (welcome.getVersion() != FrameLayout.VERSION || (welcome.getFeatures() & ~FrameLayout.FEATURES) != 0) {
            return "a welcome with a version or a feature that was not asked for";
        }
        if (welcome.getMaxPayloadBytes() < PAYLOAD_UNIT_BYTES
                || welcome.getMaxPayloadBytes() % PAYLOAD_UNIT_BYTES != 0) {
            return "a welcome with a longest payload that is not a multiple of 4096";
        }
        if (welcome.getMaxInFlight() < 1 || welcome.getMaxInFlightBytes() < 1 || welcome.getKeepAliveMillis() < 1) {
            return "a welcome with a limit of nothing";
        }
        return null;
    }
}
