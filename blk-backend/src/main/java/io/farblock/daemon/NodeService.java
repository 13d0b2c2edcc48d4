package io.farblock.daemon;

import io.farblock.api.node.AttachRequest;
import io.farblock.api.node.Daemon;
import io.farblock.api.node.DetachRequest;
import io.farblock.api.node.DetachResponse;
import io.farblock.api.node.Device;
import io.farblock.api.node.GetDaemonRequest;
import io.farblock.api.node.HandOverRequest;
import io.farblock.api.node.HandOverResponse;
import io.farblock.api.node.ListDevicesRequest;
import io.farblock.api.node.ListDevicesResponse;
import io.farblock.api.node.NodeGrpc;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Objects;

/** The local API over a daemon: translates calls and refusals, and decides nothing. */
final class NodeService extends NodeGrpc.NodeImplBase {
    /** A call that may be refused. */
    @FunctionalInterface
    private interface Call<R> {
        R run() throws DaemonException;
    }

    private final NodeDaemon daemon;

    NodeService(NodeDaemon daemon) {
        this.daemon = daemon;
    }

    @Override
    public void attach(AttachRequest request, StreamObserver<Device> observer) {
        answer(observer, () -> daemon.attach(request));
    }

    @Override
    public void detach(DetachRequest request, StreamObserver<DetachResponse> observer) {
        answer(observer, () -> {
            daemon.detach(request.getName(), request.getForce());
            return DetachResponse.getDefaultInstance();
        });
    }

    @Override
    public void listDevices(ListDevicesRequest request, StreamObserver<ListDevicesResponse> observer) {
        answer(
                observer,
                () -> ListDevicesResponse.newBuilder()
                        .addAllDevices(daemon.devices())
                        .build());
    }

    @Override
    public void getDaemon(GetDaemonRequest request, StreamObserver<Daemon> observer) {
        answer(
                observer,
                () -> Daemon.newBuilder()
                        .setVersion(Objects.requireNonNullElse(
                                NodeService.class.getPackage().getImplementationVersion(), "development"))
                        .setDevices(daemon.devices().size())
                        .setProcessId(ProcessHandle.current().pid())
                        .setClientName(daemon.options().clientName())
                        .setClientId(daemon.options().clientId().toString())
                        .build());
    }

    @Override
    public void handOver(HandOverRequest request, StreamObserver<HandOverResponse> observer) {
        answer(observer, () -> {
            daemon.handOver();
            return HandOverResponse.getDefaultInstance();
        });
    }

    private static <R> void answer(StreamObserver<R> observer, Call<R> call) {
        try {
            observer.onNext(call.run());
            observer.onCompleted();
        } catch (DaemonException e) {
            observer.onError(status(e.kind()).withDescription(e.getMessage()).asRuntimeException());
        }
    }

    private static Status status(DaemonException.Kind kind) {
        return switch (kind) {
            case NOT_FOUND -> Status.NOT_FOUND;
            case ALREADY_EXISTS -> Status.ALREADY_EXISTS;
            case INVALID -> Status.INVALID_ARGUMENT;
            case REFUSED -> Status.FAILED_PRECONDITION;
            case UNREACHABLE -> Status.UNAVAILABLE;
        };
    }
}
