package io.farblock.kernel;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * One server and one daemon for all classes that take them as a parameter and leave them as they were, which may be
 * another process: on an emulated processor the start of two takes more than a minute.
 */
public final class SharedNode implements BeforeAllCallback, ParameterResolver {
    private static final Namespace HERE = Namespace.create(SharedNode.class);
    private static final int PORT = 17170;
    private static final int METRICS_PORT = 17179;
    /** With 64 devices an emulated processor is at times too busy to answer within the usual 5 s. */
    private static final int KEEP_ALIVE_SECONDS = 30;

    /** What ends with the run. */
    private record Started(Node node) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            try {
                node.close();
            } catch (InterruptedException e) {
                throw new AssertionError("nobody interrupts the end of the tests", e);
            }
        }
    }

    /** Where the daemon's metrics are. */
    static final InetSocketAddress METRICS = new InetSocketAddress(InetAddress.getLoopbackAddress(), METRICS_PORT);

    /** For JUnit. */
    public SharedNode() {}

    private static Started start() {
        try {
            return new Started(new Node(
                    new ServerProcess(ServerProcess.dataFolder(), PORT, List.of(), "127.0.0.1"),
                    List.of(
                            "--keep-alive",
                            Integer.toString(KEEP_ALIVE_SECONDS),
                            "--metrics",
                            "127.0.0.1:" + METRICS_PORT)));
        } catch (IOException e) {
            throw new AssertionError("neither server nor daemon can be started", e);
        }
    }

    private static Node of(ExtensionContext context) {
        return context.getRoot()
                .getStore(HERE)
                .getOrComputeIfAbsent("node", unused -> start(), Started.class)
                .node();
    }

    /** A class that failed may have left one of them dead. */
    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        Node.requireKernel();
        of(context).startWhatIsDead();
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Node.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return of(context);
    }
}
