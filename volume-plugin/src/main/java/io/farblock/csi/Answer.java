package io.farblock.csi;

import io.farblock.node.NodeException;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One answer to a call: what its work gave, or a status with a message and nothing else. */
final class Answer {
    private static final Logger LOG = LoggerFactory.getLogger(Answer.class);

    /** The work of a call. */
    @FunctionalInterface
    interface Work<T> {
        T run() throws NodeException;
    }

    private Answer() {}

    /**
     * Does the work and answers.
     *
     * <p>Work goes on when the caller has given up: what is half done would only have to be undone, and the caller asks
     * again. So it runs outside of the call's context, whose end would cancel what is asked of server and daemon.
     */
    static <T> void to(StreamObserver<T> observer, Work<T> work) {
        Context caller = Context.ROOT.attach();
        T result;
        try {
            result = work.run();
        } catch (NodeException e) {
            observer.onError(Refusal.of(e));
            return;
        } catch (StatusRuntimeException e) {
            observer.onError(withMessage(e.getStatus()));
            return;
        } catch (RuntimeException e) {
            LOG.error("a mistake of the driver's own", e);
            observer.onError(Status.INTERNAL
                    .withDescription("a mistake of the driver's own, see its log: " + e)
                    .asRuntimeException());
            return;
        } finally {
            Context.ROOT.detach(caller);
        }
        observer.onNext(result);
        observer.onCompleted();
    }

    private static StatusRuntimeException withMessage(Status status) {
        String message = status.getDescription();
        return Status.fromCode(status.getCode())
                .withDescription(
                        message == null || message.isEmpty() ? status.getCode().toString() : message)
                .asRuntimeException();
    }
}
