package io.farblock.kernel;

import io.farblock.api.admin.ListVolumesRequest;
import io.farblock.api.admin.Snapshot;
import io.farblock.api.admin.Volume;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.netty.channel.IoEventLoop;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Takes snapshots without a rest, clones and deletes them, and knows what there has to be after a crash. One thread at a
 * time.
 */
final class CutOperator {
    private static final int MOST_SNAPSHOTS = 3;

    private final ServerProcess server;
    private final IoEventLoop loop;
    private final List<CutVolume> volumes;
    private final SplittableRandom random;
    private final Map<String, Taken> snapshots = new TreeMap<>();
    // Was begun and not answered: it may be there or not.
    private String doubtful = "";
    private int lastName;
    private final AtomicInteger done = new AtomicInteger();

    /** A snapshot: of which moments it may be, and what it held when it was first read. */
    private static final class Taken {
        final CutVolume volume;
        final int[] from;
        int[] to;
        long[] content;

        Taken(CutVolume volume) {
            this.volume = volume;
            from = volume.acknowledgedNow();
        }
    }

    CutOperator(ServerProcess server, List<CutVolume> volumes, long seed, IoEventLoop loop) {
        this.server = server;
        this.volumes = volumes;
        this.loop = loop;
        random = new SplittableRandom(seed);
    }

    /** How much was done. From any thread. */
    int done() {
        return done.get();
    }

    /** Goes on until the server is away. */
    void run() throws Exception {
        try {
            while (true) {
                CutVolume volume = volumes.get(random.nextInt(volumes.size()));
                List<String> names = snapshots.keySet().stream()
                        .filter(name -> name.startsWith(volume.name + "@"))
                        .toList();
                if (names.size() < MOST_SNAPSHOTS) {
                    snapshot(volume);
                } else if (random.nextBoolean()) {
                    copy(names.get(random.nextInt(names.size())));
                } else {
                    delete(names.get(random.nextInt(names.size())));
                }
                done.incrementAndGet();
            }
        } catch (StatusRuntimeException e) {
            // What it was doing when the power went is found out afterwards.
            // Of a connection that goes while a call is being sent, gRPC says only that it does not know.
            if (e.getStatus().getCode() != Status.Code.UNAVAILABLE
                    && !(e.getStatus().getCause() instanceof IOException)) {
                throw e;
            }
        } catch (CutClient.Away e) {
            return;
        }
    }

    private void snapshot(CutVolume volume) throws Exception {
        String name = volume.name + "@s" + ++lastName;
        doubtful = name;
        Taken taken = new Taken(volume);
        snapshots.put(name, taken);
        server.snapshot(volume.name, "s" + lastName);
        taken.to = volume.begunNow();
        doubtful = "";
        taken.content = CutClient.read(server.address(), name, loop);
    }

    private void copy(String snapshot) throws Exception {
        String name = "c" + ++lastName;
        String[] parts = snapshot.split("@", -1);
        server.copy(parts[0], parts[1], name);
        mustHold(name, snapshots.get(snapshot));
        server.delete(name);
    }

    private void delete(String snapshot) {
        doubtful = snapshot;
        String[] parts = snapshot.split("@", -1);
        server.deleteSnapshot(parts[0], parts[1]);
        snapshots.remove(snapshot);
        doubtful = "";
    }

    /** After a crash each snapshot is there and reads as it was taken, and each clone as its snapshot. */
    void check() throws Exception {
        List<String> found = new ArrayList<>();
        List<Volume> listed = server.admin
                .listVolumes(ListVolumesRequest.getDefaultInstance())
                .getVolumesList();
        for (Volume volume : listed) {
            for (Snapshot snapshot : server.show(volume.getName()).getSnapshotsList()) {
                found.add(volume.getName() + "@" + snapshot.getName());
            }
        }
        if (!found.contains(doubtful)) {
            snapshots.remove(doubtful);
        }
        doubtful = "";
        found.removeIf(name -> name.endsWith("@base"));
        if (!found.containsAll(snapshots.keySet()) || found.size() != snapshots.size()) {
            throw new AssertionError("there are " + found + " and should be " + snapshots.keySet());
        }
        for (Map.Entry<String, Taken> snapshot : snapshots.entrySet()) {
            mustHold(snapshot.getKey(), snapshot.getValue());
        }
        for (Volume volume : listed) {
            if (volume.getName().startsWith("c")) {
                mustHold(volume.getName(), snapshots.get(volume.getClonedFrom()));
                server.delete(volume.getName());
            }
        }
    }

    private void mustHold(String name, Taken taken) throws Exception {
        long[] content = CutClient.read(server.address(), name, loop);
        if (taken.content == null) {
            taken.content = content;
            taken.volume.mustBeFrom(name, content, taken.from, taken.to == null ? taken.volume.begunNow() : taken.to);
        }
        int wrong = Arrays.mismatch(content, taken.content);
        if (wrong >= 0) {
            throw new AssertionError(
                    name + ", block " + wrong + " has " + content[wrong] + " and had " + taken.content[wrong]);
        }
    }
}
