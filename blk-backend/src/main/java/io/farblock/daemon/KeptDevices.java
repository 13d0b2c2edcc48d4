package io.farblock.daemon;

import com.google.protobuf.ByteString;
import io.farblock.api.node.DevicePhase;
import io.farblock.api.node.DeviceRecord;
import io.farblock.daemon.DaemonException.Kind;
import io.farblock.vduse.VduseDeviceConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What of the devices is there for the next daemon: their records, and the logs of their queues. Any thread. */
final class KeptDevices {
    private static final Logger LOG = LoggerFactory.getLogger(KeptDevices.class);

    private final DaemonOptions options;
    private final DeviceRecords records;

    KeptDevices(DaemonOptions options) throws IOException {
        this.options = options;
        records = new DeviceRecords(Path.of(options.socket() + ".devices"));
    }

    /** Every record that can be read. */
    Map<String, DeviceRecord> all() throws IOException {
        return records.all();
    }

    void save(String name, DeviceRecord record) throws DaemonException {
        String wrong = VduseDeviceConfig.checkName(name);
        if (wrong != null) {
            throw new DaemonException(Kind.INVALID, "'" + name + "' cannot be the name of a device: " + wrong);
        }
        try {
            records.save(name, record);
        } catch (IOException e) {
            throw new DaemonException(Kind.REFUSED, "the state of " + name + " cannot be kept: " + e.getMessage(), e);
        }
    }

    void keepWelcome(String name, ByteString welcome) {
        change(name, record -> record.toBuilder().setWelcome(welcome).build());
    }

    void mark(String name, DevicePhase phase) {
        change(name, record -> record.toBuilder().setPhase(phase).build());
    }

    /** The device is there whether this can be written down or not, and its I/O goes on. */
    private void change(String name, UnaryOperator<DeviceRecord> change) {
        try {
            records.update(name, change);
        } catch (IOException e) {
            LOG.error("{}: its record is out of date for the next daemon: {}", name, e.getMessage());
        }
    }

    /** Keeps the record of a device that is about to be taken up, as it is for this daemon. */
    DeviceRecord nextLife(String name, DeviceRecord record) throws IOException {
        if (!record.getInFlightLog()) {
            // Its daemon gave everything back in order. Nobody serves it now, so this holds until the record is saved.
            QueueLogs.create(QueueLogs.file(options, name), DeviceAttachment.MAX_QUEUES, QueueLogs.instance(record))
                    .close();
        }
        DeviceRecord next = record.toBuilder()
                .setTakeovers(record.getTakeovers() + 1)
                .setInFlightLog(true)
                .build();
        records.save(name, next);
        return next;
    }

    /** Whether the device of a record has been there all the time, and no other of its name. */
    boolean isStill(String name, DeviceRecord record) throws DaemonException {
        try {
            DeviceRecord found = records.find(name);
            return found != null && found.getSessionId().equals(record.getSessionId());
        } catch (IOException e) {
            throw new DaemonException(Kind.REFUSED, "its record cannot be read: " + e.getMessage(), e);
        }
    }

    /** The logs of a device that nobody serves. */
    QueueLogs logs(String name, int queues) throws IOException {
        DeviceRecord record = records.find(name);
        return record == null
                ? QueueLogs.unknown(queues)
                : QueueLogs.open(QueueLogs.file(options, name), queues, QueueLogs.instance(record));
    }

    void forget(String name) throws DaemonException {
        try {
            remove(name);
        } catch (IOException e) {
            throw new DaemonException(
                    Kind.REFUSED, "the state of " + name + " cannot be removed: " + e.getMessage(), e);
        }
    }

    void remove(String name) throws IOException {
        records.remove(name);
        QueueLogs.remove(QueueLogs.file(options, name));
    }
}
