package io.farblock.csi;

import com.google.protobuf.BoolValue;
import io.farblock.csi.proto.GetPluginCapabilitiesRequest;
import io.farblock.csi.proto.GetPluginCapabilitiesResponse;
import io.farblock.csi.proto.GetPluginInfoRequest;
import io.farblock.csi.proto.GetPluginInfoResponse;
import io.farblock.csi.proto.IdentityGrpc;
import io.farblock.csi.proto.PluginCapability;
import io.farblock.csi.proto.PluginCapability.Service;
import io.farblock.csi.proto.PluginCapability.VolumeExpansion;
import io.farblock.csi.proto.ProbeRequest;
import io.farblock.csi.proto.ProbeResponse;
import io.farblock.node.NodeException;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;

/** Who the driver is, what it offers, and whether what it stands on answers. */
final class CsiIdentity extends IdentityGrpc.IdentityImplBase {
    /** Whether something that the driver needs is there. */
    @FunctionalInterface
    interface Readiness {
        boolean isReady() throws NodeException;
    }

    private final CsiOptions options;
    private final Readiness readiness;

    CsiIdentity(CsiOptions options, Readiness readiness) {
        this.options = options;
        this.readiness = readiness;
    }

    @Override
    public void getPluginInfo(GetPluginInfoRequest request, StreamObserver<GetPluginInfoResponse> answer) {
        Answer.to(
                answer,
                () -> GetPluginInfoResponse.newBuilder()
                        .setName(CsiOptions.DRIVER)
                        .setVendorVersion(version())
                        .build());
    }

    @Override
    public void getPluginCapabilities(
            GetPluginCapabilitiesRequest request, StreamObserver<GetPluginCapabilitiesResponse> answer) {
        Answer.to(answer, () -> {
            GetPluginCapabilitiesResponse.Builder all = GetPluginCapabilitiesResponse.newBuilder();
            if (options.mode().hasController()) {
                all.addCapabilities(service(Service.Type.CONTROLLER_SERVICE));
                all.addCapabilities(service(Service.Type.GROUP_CONTROLLER_SERVICE));
            }
            all.addCapabilities(PluginCapability.newBuilder()
                    .setVolumeExpansion(VolumeExpansion.newBuilder().setType(VolumeExpansion.Type.ONLINE)));
            if (!options.zone().isEmpty()) {
                all.addCapabilities(service(Service.Type.VOLUME_ACCESSIBILITY_CONSTRAINTS));
            }
            return all.build();
        });
    }

    private static PluginCapability service(Service.Type type) {
        return PluginCapability.newBuilder()
                .setService(Service.newBuilder().setType(type))
                .build();
    }

    @Override
    public void probe(ProbeRequest request, StreamObserver<ProbeResponse> answer) {
        Answer.to(
                answer,
                () -> ProbeResponse.newBuilder()
                        .setReady(BoolValue.of(isReady()))
                        .build());
    }

    private boolean isReady() {
        try {
            return readiness.isReady();
        } catch (NodeException | StatusRuntimeException e) {
            return false;
        }
    }

    private static String version() {
        String version = CsiIdentity.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
