package io.farblock.cli;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.JsonEncoder;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.encoder.Encoder;

/** How a log is written, by the names that users give. */
enum LogFormat {
    /** Lines for people. */
    text {
        @Override
        Encoder<ILoggingEvent> encoder(LoggerContext context) {
            PatternLayoutEncoder line = new PatternLayoutEncoder();
            line.setContext(context);
            line.setPattern("%d{HH:mm:ss.SSS} %-5level %logger{0}: %msg%n");
            line.start();
            return line;
        }
    },

    /**
     * An object a line. What kind of event it is stays apart from what it is about: {@code message} has {@code {}} for
     * each of the {@code arguments}, of which the first is the volume or the device, if it is about one.
     */
    json {
        @Override
        Encoder<ILoggingEvent> encoder(LoggerContext context) {
            JsonEncoder object = new JsonEncoder();
            object.setContext(context);
            object.setWithSequenceNumber(false);
            object.setWithNanoseconds(false);
            object.setWithContext(false);
            object.setWithMDC(false);
            object.setWithMarkers(false);
            object.setWithKVPList(false);
            object.setWithFormattedMessage(true);
            object.start();
            return object;
        }
    };

    abstract Encoder<ILoggingEvent> encoder(LoggerContext context);
}
