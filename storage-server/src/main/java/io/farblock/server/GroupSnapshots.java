package io.farblock.server;

import io.farblock.linux.Errno;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Snapshots of several volumes at one moment: what was written to one of them because a write to another one was
 * acknowledged is in the snapshots only together with that.
 *
 * <p>Between the first volume whose writers are kept out and the last nothing is done but to wait for writes that are
 * under way, and not for long: a disk that does not answer must not hold up the others. Calls from any thread.
 */
final class GroupSnapshots {
    static final int MAX_VOLUMES = 64;
    private static final long QUIET_SECONDS = 2;

    private final VolumeTable volumes;

    GroupSnapshots(VolumeTable volumes) {
        this.volumes = volumes;
    }

    /** A volume and what it needs to turn to a new layer. */
    private static final class Member {
        final SnapshotName name;
        final VolumeControl control;
        FileVolume volume;
        LayerTurn turn;
        final CompletableFuture<Integer> synced = new CompletableFuture<>();

        Member(SnapshotName name, VolumeControl control) {
            this.name = name;
            this.control = control;
        }
    }

    /**
     * Takes a snapshot of each volume under the same name; durable on return. If it fails with the disk, some of the
     * volumes may have theirs.
     */
    void take(List<String> names, String snapshot, Map<String, String> labels) throws VolumeException {
        VolumeRules.checkLabels(labels);
        if (names.isEmpty() || names.size() > MAX_VOLUMES || new HashSet<>(names).size() < names.size()) {
            throw new VolumeException(
                    VolumeException.Kind.INVALID,
                    "a group has 1 to " + MAX_VOLUMES + " volumes, each of them once, not " + names.size());
        }
        List<Member> members = new ArrayList<>();
        // In the order of their names, so that two groups never wait for each other's control threads in a circle.
        for (String volume : names.stream().sorted().toList()) {
            members.add(new Member(SnapshotName.of(volume, snapshot), volumes.control(volume)));
        }
        try {
            hold(members, 0, labels);
        } finally {
            // What was begun and not named is an empty layer.
            members.forEach(member -> member.control.merge().kick());
        }
    }

    // Nobody changes the layers of a volume as long as its control thread is here.
    private void hold(List<Member> members, int index, Map<String, String> labels) throws VolumeException {
        if (index == members.size()) {
            take(members, labels);
            return;
        }
        Member member = members.get(index);
        Void unused = member.control.call(() -> {
            member.volume = volumes.ready(member.control, volumes.whole(member.name.volume()), member.name);
            member.control.merge().pause();
            try {
                hold(members, index + 1, labels);
            } finally {
                member.control.merge().resume();
            }
            return null;
        });
    }

    private void take(List<Member> members, Map<String, String> labels) throws VolumeException {
        try {
            for (Member member : members) {
                member.turn = member.volume.layers().turnTo(volumes.snapshots().addLayer(member.name.volume()));
            }
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(QUIET_SECONDS);
            if (!turn(members, 0, deadline)) {
                throw new VolumeException(
                        VolumeException.Kind.DISK,
                        "writes that are with the disk have not ended within " + QUIET_SECONDS
                                + " s: no snapshot was taken, ask again");
            }
            sync(members);
            for (Member member : members) {
                member.volume.settleBelow();
            }
            long nowUnixMillis = System.currentTimeMillis();
            for (Member member : members) {
                VolumeRecord unused = volumes.snapshots().add(member.name, labels, "", nowUnixMillis);
            }
        } catch (IOException e) {
            throw new VolumeException(VolumeException.Kind.DISK, "the group of snapshots failed: " + e.getMessage(), e);
        } finally {
            members.stream().filter(member -> member.turn != null).forEach(member -> member.turn.closeUnlessRun());
        }
    }

    // All at once: each disk waits for itself.
    private static void sync(List<Member> members) throws IOException {
        for (Member member : members) {
            member.volume.sync().await(member.synced::complete);
        }
        for (Member member : members) {
            int result = member.synced.join();
            if (result < 0) {
                throw new IOException("the sync of " + member.name.volume() + " failed: " + Errno.describe(-result));
            }
        }
    }

    // Inside of all gates no write to any of the volumes is under way: that is the moment.
    private static boolean turn(List<Member> members, int index, long deadlineNanos) {
        if (index == members.size()) {
            members.forEach(member -> member.turn.run());
            return true;
        }
        long left = deadlineNanos - System.nanoTime();
        return members.get(index).volume.ranges().betweenWrites(() -> turn(members, index + 1, deadlineNanos), left);
    }
}
