package io.farblock.server;

import io.farblock.api.admin.Event;
import io.farblock.api.admin.Overview;
import io.farblock.api.admin.Server;
import io.farblock.api.admin.Traffic;
import io.farblock.api.admin.Volume;
import io.farblock.api.admin.VolumeOverview;
import io.farblock.api.admin.VolumeState;
import io.farblock.tls.Identity;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What the server says of itself to those who look again and again: gathered at most twice a second, and less often where
 * there is much to gather, however many look; each is shown what is not hidden from it. From any thread; who asks while it is being gathered waits for that.
 */
final class Overviews {
    private static final long FRESH_NANOS = TimeUnit.MILLISECONDS.toNanos(500);
    // Of a processor, gathering has one part in so many at most.
    private static final int SHARES = 10;

    private final VolumeTable volumes;
    private final RecentEvents events;
    private final Supplier<Server> server;
    private final LongSupplier nanoTime;
    private final long beganNanos;
    private Overview latest;
    private long freshNanos;

    Overviews(VolumeTable volumes, RecentEvents events, Supplier<Server> server, LongSupplier nanoTime) {
        this.volumes = volumes;
        this.events = events;
        this.server = server;
        this.nanoTime = nanoTime;
        beganNanos = nanoTime.getAsLong();
    }

    /** What somebody may see. */
    Overview of(Identity who) throws VolumeException {
        Overview all = latest();
        Overview.Builder some = all.toBuilder().setCaller(who.equals(Identity.ANYBODY) ? who.name() : who.toString());
        if (!Access.isAdmin(who)) {
            some.clearVolumes().clearEvents();
            for (VolumeOverview volume : all.getVolumesList()) {
                if (mayShow(who, volume.getVolume().getName())) {
                    some.addVolumes(volume);
                }
            }
            for (Event event : all.getEventsList()) {
                if (mayShow(who, event.getVolume())) {
                    some.addEvents(event);
                }
            }
        }
        return some.build();
    }

    // By the record of now: what somebody may not see any more is not shown because it was gathered before.
    private boolean mayShow(Identity who, String volume) {
        try {
            return Access.mayShow(who, volumes.catalogue().find(volume));
        } catch (VolumeException e) {
            return false;
        }
    }

    private synchronized Overview latest() throws VolumeException {
        long uptimeNanos = nanoTime.getAsLong() - beganNanos;
        if (latest == null || uptimeNanos - latest.getUptimeNanos() > freshNanos) {
            latest = gather(uptimeNanos);
            long tookNanos = nanoTime.getAsLong() - beganNanos - uptimeNanos;
            freshNanos = Math.max(FRESH_NANOS, SHARES * tookNanos);
        }
        return latest;
    }

    private Overview gather(long uptimeNanos) throws VolumeException {
        Overview.Builder overview = Overview.newBuilder()
                .setUnixMillis(System.currentTimeMillis())
                .setUptimeNanos(uptimeNanos)
                .setServer(server.get())
                .setSpace(volumes.space())
                .addAllEvents(events.all());
        Map<String, Traffic> traffic = traffic();
        volumes.catalogue().list().stream()
                .sorted(Comparator.comparing(VolumeRecord::getName))
                .forEach(record -> add(overview, record, traffic));
        return overview.build();
    }

    private Map<String, Traffic> traffic() {
        Map<String, Traffic> traffic = new HashMap<>();
        for (VolumeControl control : volumes.controls()) {
            ServedVolume served = control.served();
            if (served != null) {
                traffic.put(control.name(), TrafficMessage.of(served.volume()));
            }
        }
        return traffic;
    }

    private void add(Overview.Builder overview, VolumeRecord record, Map<String, Traffic> traffic) {
        VolumeOverview.Builder volume = VolumeOverview.newBuilder()
                .setTraffic(traffic.getOrDefault(record.getName(), Traffic.getDefaultInstance()));
        try {
            overview.addVolumes(volume.setVolume(VolumeMessage.of(volumes.get(record.getName()))));
        } catch (VolumeException e) {
            if (e.kind() == VolumeException.Kind.DISK) {
                overview.addVolumes(volume.setVolume(unreadable(record, e)));
            }
            // Else it was deleted a moment ago.
        }
    }

    private static Volume.Builder unreadable(VolumeRecord record, VolumeException why) {
        return Volume.newBuilder()
                .setName(record.getName())
                .setUuid(record.getUuid())
                .setSizeBytes(record.getSizeBytes())
                .setState(VolumeState.VOLUME_STATE_FAILED)
                .setStateReason(why.getMessage());
    }
}
