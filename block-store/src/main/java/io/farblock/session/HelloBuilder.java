package io.farblock.session;

import io.farblock.wire.ControlFrame;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.Welcome;

/** The hellos of one queue: each with the next incarnation, and with what was learned from the last welcome. */
final class HelloBuilder {
    private final ClientOptions options;
    private final int queue;
    private long incarnation;

    HelloBuilder(ClientOptions options, int queue) {
        this.options = options;
        this.queue = queue;
        // No process makes 2^32 connections, so each life begins above all incarnations of the one before.
        incarnation = (long) options.life() << Integer.SIZE;
    }

    /** @param known the last welcome, or null: who once had the lease goes on with it and never takes it again */
    Hello next(Welcome known) {
        incarnation++;
        Hello.Builder hello = Hello.newBuilder()
                .setMinVersion(FrameLayout.VERSION)
                .setMaxVersion(FrameLayout.VERSION)
                .setFeatures(options.features())
                .setVolume(options.volume())
                .setClientId(ControlFrame.idBytes(options.clientId()))
                .setClientName(options.clientName())
                .setSessionId(ControlFrame.idBytes(options.sessionId()))
                .setQueue(queue)
                .setIncarnation(incarnation)
                .setReadOnly(options.readOnly())
                .setTakeOver(options.takeOver() && known == null)
                .setMaxPayloadBytes(options.maxPayloadBytes())
                .setMaxInFlight(options.maxInFlight())
                .setPublication(options.publication());
        if (known != null) {
            hello.setVolumeId(known.getVolumeId())
                    .setVolumeGeneration(known.getVolumeGeneration())
                    .setWantedEpoch(known.getEpoch());
        }
        return hello.build();
    }
}
