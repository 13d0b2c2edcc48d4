package io.farblock.server;

import io.farblock.session.VolumeHost.OpenAnswer;
import io.farblock.wire.proto.Hello;
import io.farblock.wire.proto.RefusalCode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All volumes of a server, and its control thread: the one on which it is decided who may open what.
 *
 * <p>Methods are called from any thread. {@link #open} returns at once; the others wait for the control thread and for
 * the disk. A volume that was opened once stays open until it is deleted or the server ends.
 */
final class VolumeTable {
    private static final Logger LOG = LoggerFactory.getLogger(VolumeTable.class);

    private final Disk disk;
    private final Catalogue catalogue;
    private final ServerOptions options;
    private final DurabilityVerifier verifier;
    private final ScheduledExecutorService control = Executors.newSingleThreadScheduledExecutor(work -> {
        Thread thread = new Thread(work, "farblock-control");
        thread.setDaemon(true);
        return thread;
    });
    // On the control thread only.
    private final Map<String, ServedVolume> served = new HashMap<>();

    VolumeTable(Disk disk, Catalogue catalogue, ServerOptions options, DurabilityVerifier verifier) {
        this.disk = disk;
        this.catalogue = catalogue;
        this.options = options;
        this.verifier = verifier;
    }

    /** Opens a volume for a connection; the answer comes on the client's loop. */
    void open(Hello hello, ClientEnd client, OpenAnswer answer) {
        control.execute(() -> decide(hello, client, answer));
    }

    VolumeRecord create(VolumeRecord wanted) throws VolumeException {
        return catalogue.create(wanted);
    }

    List<VolumeStatus> list() throws VolumeException {
        List<VolumeStatus> all = new ArrayList<>();
        for (VolumeRecord record : catalogue.list()) {
            all.add(onControl(() -> status(record)));
        }
        return all;
    }

    VolumeStatus get(String name) throws VolumeException {
        VolumeRecord record = catalogue.find(name);
        return onControl(() -> status(record));
    }

    int count() {
        return catalogue.list().size();
    }

    /** Deletes a volume that nobody has open or holds. */
    void delete(String name) throws VolumeException {
        VolumeRecord deleting = onControl(() -> beginDelete(name));
        catalogue.deleteData(deleting);
    }

    /** Reads a volume that has failed back from the disk; it serves again if that works. Takes long. */
    void check(String name) throws VolumeException {
        ServedVolume volume = onControl(() -> serve(catalogue.find(name)));
        if (volume.volume().failure() != null) {
            endAllConnections(volume);
        }
        try {
            String reason = volume.volume().check();
            if (reason != null) {
                throw new VolumeException(
                        VolumeException.Kind.DISK,
                        "volume " + name + " still refuses I/O: " + reason + "; look at the disk under it");
            }
        } catch (IOException e) {
            throw diskFailed(name, e);
        }
    }

    /**
     * Who is connected knows the durability verifier of before the failure. Served under it once more, a flush would
     * succeed as if nothing had been lost: so they are fenced before the volume can serve again, and come back.
     */
    private void endAllConnections(ServedVolume volume) {
        CountDownLatch fenced = new CountDownLatch(1);
        control.execute(() -> {
            volume.disconnectAll();
            volume.drain(fenced::countDown);
        });
        Waiting.uninterruptibly(fenced::await);
    }

    /** Fences every connection that is left, and waits until the disk is done with all of them. */
    void drain() {
        CountDownLatch drained = new CountDownLatch(1);
        control.execute(() -> {
            AtomicInteger pending = new AtomicInteger(served.size() + 1);
            Runnable one = () -> {
                if (pending.decrementAndGet() == 0) {
                    drained.countDown();
                }
            };
            for (ServedVolume volume : served.values()) {
                volume.drain(one);
            }
            one.run();
        });
        Waiting.uninterruptibly(drained::await);
    }

    /** Lets the disk finish what it does, then syncs and closes all files. All connections must be drained. */
    void closeFiles() {
        CountDownLatch closed = new CountDownLatch(1);
        control.execute(() -> {
            try {
                for (ServedVolume volume : served.values()) {
                    volume.volume().close();
                }
            } finally {
                closed.countDown();
            }
        });
        Waiting.uninterruptibly(closed::await);
    }

    /** Ends the control thread. */
    void close() {
        control.shutdown();
        Waiting.uninterruptibly(() -> control.awaitTermination(Long.MAX_VALUE, TimeUnit.NANOSECONDS));
    }

    private void decide(Hello hello, ClientEnd client, OpenAnswer answer) {
        try {
            VolumeRecord record = catalogue.find(hello.getVolume());
            serve(record).open(hello, record, client, answer);
        } catch (VolumeException e) {
            client.refuse(answer, RefusalCode.REFUSAL_CODE_NO_SUCH_VOLUME, e.getMessage(), "");
        } catch (IOException e) {
            LOG.warn(
                    "volume {} could not be opened for {}",
                    hello.getVolume(),
                    Names.printable(hello.getClientName()),
                    e);
            client.refuse(
                    answer,
                    RefusalCode.REFUSAL_CODE_BUSY,
                    "volume " + hello.getVolume() + " cannot be opened now: " + e.getMessage(),
                    "");
        }
    }

    private ServedVolume serve(VolumeRecord record) throws IOException {
        ServedVolume volume = served.get(record.getName());
        if (volume == null) {
            FileVolume files = FileVolume.open(record, disk, catalogue, options, control);
            volume = new ServedVolume(files, record, catalogue, verifier, control);
            served.put(record.getName(), volume);
        }
        return volume;
    }

    private VolumeRecord beginDelete(String name) throws VolumeException {
        VolumeStatus status = status(catalogue.find(name));
        if (!status.clients().isEmpty()) {
            VolumeStatus.Client client = status.clients().get(0);
            throw new VolumeException(
                    VolumeException.Kind.IN_USE,
                    "volume " + name
                            + (client.queues() > 0
                                    ? " is in use by " + client.name() + " (" + client.address() + "): detach it there"
                                    : " is held by " + client.name() + ", which is away: detach it there, or take the"
                                            + " volume over"));
        }
        VolumeRecord deleting = catalogue.markDeleting(name);
        ServedVolume volume = served.remove(name);
        if (volume != null) {
            volume.volume().close();
        }
        return deleting;
    }

    private VolumeStatus status(VolumeRecord record) throws VolumeException {
        try {
            ServedVolume volume = served.get(record.getName());
            long allocatedBytes = catalogue.allocatedBytes(record);
            if (volume == null) {
                String failure = record.getFailure().isEmpty() ? null : record.getFailure();
                List<VolumeStatus.Client> clients = ServedVolume.absentHolder(record);
                return new VolumeStatus(record, allocatedBytes, failure, false, clients);
            }
            FileVolume files = volume.volume();
            return new VolumeStatus(
                    record, allocatedBytes, files.failure(), files.space().isFull(), volume.clients(record));
        } catch (IOException e) {
            throw diskFailed(record.getName(), e);
        }
    }

    private static VolumeException diskFailed(String name, IOException e) {
        return new VolumeException(VolumeException.Kind.DISK, "volume " + name + ": " + e.getMessage(), e);
    }

    private <T> T onControl(Callable<T> work) throws VolumeException {
        Future<T> result = control.submit(work);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicReference<T> value = new AtomicReference<>();
        Waiting.uninterruptibly(() -> {
            try {
                value.set(result.get());
            } catch (ExecutionException e) {
                failure.set(e.getCause());
            }
        });
        if (failure.get() != null) {
            throw unwrap(failure.get());
        }
        return value.get();
    }

    private static VolumeException unwrap(Throwable cause) {
        if (cause instanceof VolumeException refused) {
            return refused;
        }
        if (cause instanceof IOException failed) {
            return new VolumeException(VolumeException.Kind.DISK, failed.getMessage(), failed);
        }
        throw new IllegalStateException("the control thread failed", cause);
    }
}
