package io.farblock.server;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.farblock.api.admin.ListVolumesResponse;
import io.farblock.tls.Identity;
import io.farblock.tls.LinkSecurity;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall;
import io.grpc.ForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.Map;
import javax.net.ssl.SSLSession;

/**
 * Lets calls of the admin API through to those who may make them. What a call needs stands in one table; one that is not
 * in it is for administrators. On gRPC's threads.
 */
final class AdminGate implements ServerInterceptor {
    /** What a caller has to be to the volume that a call is about. */
    private enum Need {
        NOTHING,
        PUBLISHED,
        READER,
        OWNER,
        ADMIN
    }

    /** Who makes the call that is being served. */
    private static final Context.Key<Identity> CALLER = Context.key("farblock-caller");

    private static final Map<String, Need> NEEDS = Map.ofEntries(
            Map.entry("GetServer", Need.NOTHING),
            // They see those that they may show.
            Map.entry("ListVolumes", Need.NOTHING),
            Map.entry("GetOverview", Need.NOTHING),
            // It becomes theirs.
            Map.entry("CreateVolume", Need.NOTHING),
            Map.entry("GetVolume", Need.PUBLISHED),
            Map.entry("ListExtents", Need.READER),
            // It reads what they may read, a part with each call.
            Map.entry("CheckBlocks", Need.READER),
            Map.entry("CloneSnapshot", Need.READER),
            Map.entry("DeleteVolume", Need.OWNER),
            Map.entry("ReleaseVolume", Need.OWNER),
            Map.entry("CheckVolume", Need.OWNER),
            Map.entry("ResizeVolume", Need.OWNER),
            Map.entry("SetVolume", Need.OWNER),
            Map.entry("BeginImport", Need.OWNER),
            Map.entry("FinishImport", Need.OWNER),
            Map.entry("CreateSnapshot", Need.OWNER),
            Map.entry("DeleteSnapshot", Need.OWNER),
            Map.entry("PublishVolume", Need.ADMIN),
            Map.entry("UnpublishVolume", Need.ADMIN));

    private static final Status NOT_KNOWN =
            Status.UNAUTHENTICATED.withDescription("the certificate was revoked or has expired");

    private final LinkSecurity links;
    private final Catalogue catalogue;
    private final AuditLog audit;

    AdminGate(LinkSecurity links, Catalogue catalogue, AuditLog audit) {
        this.links = links;
        this.catalogue = catalogue;
        this.audit = audit;
    }

    /** Who makes the call that this thread serves. */
    static Identity caller() {
        return CALLER.get();
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        Identity caller = identify(call);
        if (caller == null) {
            call.close(NOT_KNOWN, new Metadata());
            return new ServerCall.Listener<>() {};
        }
        Passed<Q, A> passed = new Passed<>(call, caller);
        return new Requests<>(
                Contexts.interceptCall(Context.current().withValue(CALLER, caller), passed, headers, next), passed);
    }

    // For each call, because a connection of theirs may be older than the list that they are in.
    private Identity identify(ServerCall<?, ?> call) {
        if (!links.isEncrypted()) {
            return Identity.ANYBODY;
        }
        SSLSession session = call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION);
        return links.identity(LinkSecurity.certificate(session));
    }

    private static String volume(Message request) {
        String volume = volume(request, "volume");
        return volume.isEmpty() ? volume(request, "name") : volume;
    }

    private static String volume(Message request, String field) {
        FieldDescriptor named = request.getDescriptorForType().findFieldByName(field);
        String name = named == null ? "" : (String) request.getField(named);
        int snapshot = name.indexOf('@');
        return snapshot < 0 ? name : name.substring(0, snapshot);
    }

    /** Why a call may not be made, or null. What is about no volume that there is, is for the service to refuse. */
    private String refusal(Identity caller, String method, String volume) {
        Need need = NEEDS.getOrDefault(method, Need.ADMIN);
        if (Access.isAdmin(caller) || need == Need.NOTHING) {
            return null;
        }
        if (need == Need.ADMIN) {
            return method + " is for administrators, and this is " + caller;
        }
        try {
            VolumeRecord record = catalogue.find(volume);
            boolean may = switch (need) {
                case PUBLISHED -> Access.mayShow(caller, record);
                case READER -> Access.mayRead(caller, record);
                default -> Access.mayOwn(caller, record);
            };
            return may ? null : volume + " is not a volume of " + caller;
        } catch (VolumeException e) {
            return null;
        }
    }

    private boolean mayShow(Identity caller, String volume) {
        try {
            return Access.mayShow(caller, catalogue.find(volume));
        } catch (VolumeException e) {
            return false;
        }
    }

    /** A call that is noted when it ends, and whose answers have nothing that the caller may not see. */
    private final class Passed<Q, A> extends ForwardingServerCall.SimpleForwardingServerCall<Q, A> {
        private final Identity caller;
        private String volume = "";

        Passed(ServerCall<Q, A> call, Identity caller) {
            super(call);
            this.caller = caller;
        }

        String method() {
            return getMethodDescriptor().getBareMethodName();
        }

        @Override
        @SuppressWarnings("unchecked") // The filtered answer is of the type that came.
        public void sendMessage(A message) {
            if (message instanceof ListVolumesResponse all && !Access.isAdmin(caller)) {
                ListVolumesResponse.Builder some = all.toBuilder().clearVolumes();
                all.getVolumesList().stream()
                        .filter(volume -> mayShow(caller, volume.getName()))
                        .forEach(some::addVolumes);
                super.sendMessage((A) some.build());
            } else {
                super.sendMessage(message);
            }
        }

        @Override
        public void close(Status status, Metadata trailers) {
            boolean isChange = NEEDS.getOrDefault(method(), Need.ADMIN).compareTo(Need.OWNER) >= 0
                    || method().equals("CreateVolume")
                    || method().equals("CloneSnapshot");
            if (isChange || status.getCode() == Status.Code.PERMISSION_DENIED) {
                audit.call(caller, method(), volume, status.getCode().name());
            }
            super.close(status, trailers);
        }
    }

    /**
     * What a caller asks for. The service does it when the caller has said that nothing more comes, and so it is looked at
     * then: a caller who waits with that is judged by what is true at the end.
     */
    private final class Requests<Q, A> extends ForwardingServerCallListener.SimpleForwardingServerCallListener<Q> {
        private final Passed<Q, A> passed;
        private Q request;

        Requests(ServerCall.Listener<Q> service, Passed<Q, A> passed) {
            super(service);
            this.passed = passed;
        }

        @Override
        public void onMessage(Q message) {
            request = message;
        }

        @Override
        public void onHalfClose() {
            Status refused = request == null ? null : refused((Message) request);
            if (refused != null) {
                passed.close(refused, new Metadata());
                return;
            }
            if (request != null) {
                super.onMessage(request);
            }
            super.onHalfClose();
        }

        private Status refused(Message message) {
            if (identify(passed) == null) {
                return NOT_KNOWN;
            }
            passed.volume = volume(message);
            String refusal = refusal(passed.caller, passed.method(), passed.volume);
            String since = volume(message, "since");
            if (refusal == null && !since.isEmpty()) {
                refusal = refusal(passed.caller, passed.method(), since);
            }
            return refusal == null ? null : Status.PERMISSION_DENIED.withDescription(refusal);
        }
    }
}
