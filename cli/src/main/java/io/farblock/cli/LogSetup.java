package io.farblock.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.joran.spi.ConsoleTarget;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.status.NopStatusListener;
import org.slf4j.LoggerFactory;

/**
 * What is logged and where, in Java: reading the same from a file takes a fifth of the time until a server serves. A
 * file that is named with {@code -Dlogback.configurationFile}, or that tests have, is read instead.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_HIGH_PRIORITY)
public final class LogSetup extends ContextAwareBase implements Configurator {
    private static final String STANDARD_ERROR = "stderr";

    /** For logback, which finds it by its name. */
    public LogSetup() {}

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        if (System.getProperty("logback.configurationFile") != null
                || LogSetup.class.getClassLoader().getResource("logback-test.xml") != null) {
            return ExecutionStatus.INVOKE_NEXT_IF_ANY;
        }
        context.getStatusManager().add(new NopStatusListener());
        Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.addAppender(standardError(context));
        root.setLevel(Level.WARN);
        context.getLogger("io.farblock").setLevel(Level.INFO);
        // Warnings of libraries about things that are as they should be: a machine without a network card, an option of
        // TCP that gRPC sets on Unix sockets too, and JVM arguments for parts of Chronicle that are not used.
        context.getLogger("io.netty.util.internal.MacAddressUtil").setLevel(Level.ERROR);
        context.getLogger("io.netty.bootstrap").setLevel(Level.ERROR);
        context.getLogger("net.openhft").setLevel(Level.OFF);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /**
     * Whoever runs a daemon decides where its log goes. Never to a file, because the disk may be one that the daemon
     * itself serves.
     */
    private static ConsoleAppender<ILoggingEvent> standardError(LoggerContext context) {
        ConsoleAppender<ILoggingEvent> appender = new ConsoleAppender<>();
        appender.setContext(context);
        appender.setName(STANDARD_ERROR);
        appender.setTarget(ConsoleTarget.SystemErr.getName());
        appender.setEncoder(LogFormat.text.encoder(context));
        appender.start();
        return appender;
    }

    /** Has the log written in another way from now on, unless it is one that a file says. */
    static void write(LogFormat format) {
        Logger root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
        if (root.getAppender(STANDARD_ERROR) instanceof ConsoleAppender<ILoggingEvent> appender) {
            appender.setEncoder(format.encoder(root.getLoggerContext()));
        }
    }
}
