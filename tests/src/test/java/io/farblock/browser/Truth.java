package io.farblock.browser;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.farblock.api.admin.Answered;
import io.farblock.api.admin.Overview;
import io.farblock.api.admin.Traffic;
import io.farblock.api.admin.VolumeOverview;
import io.farblock.api.admin.VolumeState;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/** What a value on the page has to be, from the answers of the API and without the page's code. */
final class Truth {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final Map<String, Function<Traffic, Long>> RATES = Map.of(
            "readsPerSecond", traffic -> traffic.getReads().getRequests(),
            "writesPerSecond", traffic -> traffic.getWrites().getRequests(),
            "readBytesPerSecond", traffic -> traffic.getReads().getBytes(),
            "writeBytesPerSecond", traffic -> traffic.getWrites().getBytes());
    private static final Map<String, Function<Traffic, Answered>> MEANS =
            Map.of("readMeanNanos", Traffic::getReads, "writeMeanNanos", Traffic::getWrites);
    private static final Map<String, Function<Traffic, Answered>> KINDS = Map.of(
            "reads", Traffic::getReads,
            "writes", Traffic::getWrites,
            "flushes", Traffic::getFlushes,
            "discards", Traffic::getDiscards,
            "zeroes", Traffic::getZeroes);

    private final Overview before;
    private final Overview now;
    private final JsonObject json;

    /** @param before the answer before, or null if the page goes by one alone */
    Truth(Overview before, Overview now) throws InvalidProtocolBufferException {
        this.before = before;
        this.now = now;
        json = JsonParser.parseString(
                        JsonFormat.printer().alwaysPrintFieldsWithNoPresence().print(now))
                .getAsJsonObject();
    }

    /** What stands at a path in the answer. */
    String field(String path) {
        JsonElement here = json;
        String list = "";
        for (String step : path.split("/", -1)) {
            here = here.isJsonArray() ? element(here.getAsJsonArray(), list, step) : inside(here, step);
            list = step;
        }
        return said(here);
    }

    private static JsonElement inside(JsonElement object, String path) {
        JsonElement here = object;
        for (String name : path.split("\\.", -1)) {
            here = here.getAsJsonObject().get(name);
        }
        return here;
    }

    private static JsonElement element(JsonArray elements, String list, String key) {
        String name = Map.of("volumes", "volume.name", "volume.snapshots", "name", "events", "number")
                .get(list);
        if (name == null) {
            return elements.get(Integer.parseInt(key));
        }
        for (JsonElement element : elements) {
            if (inside(element, name).getAsString().equals(key)) {
                return element;
            }
        }
        throw new AssertionError("no " + key + " among " + list);
    }

    private static String said(JsonElement value) {
        if (value.isJsonArray()) {
            return value.getAsJsonArray().asList().stream()
                    .map(JsonElement::getAsString)
                    .collect(Collectors.joining(", "));
        }
        if (value.isJsonObject()) {
            return new TreeMap<>(value.getAsJsonObject().asMap())
                    .entrySet().stream()
                            .map(entry ->
                                    entry.getKey() + "=" + entry.getValue().getAsString())
                            .collect(Collectors.joining(", "));
        }
        return value.getAsString();
    }

    /** What a figure is; null if there is none. */
    Double figure(String name) {
        int end = name.lastIndexOf('/');
        String owner = name.substring(0, end);
        String what = name.substring(end + 1);
        if (owner.equals("server")) {
            return ofServer(what);
        }
        VolumeOverview volume = volume(now, owner.substring(owner.indexOf('/') + 1));
        if (what.equals("clients")) {
            return (double) volume.getVolume().getClientsCount();
        }
        if (what.endsWith(".meanNanos")) {
            return mean(KINDS.get(what.split("\\.", -1)[1]).apply(volume.getTraffic()), Answered.getDefaultInstance());
        }
        return ofTraffic(what, List.of(volume));
    }

    private Double ofServer(String what) {
        return switch (what) {
            case "volumes" -> (double) now.getVolumesCount();
            case "volumesInNeed" ->
                (double) now.getVolumesList().stream().filter(Truth::isInNeed).count();
            default -> ofTraffic(what, now.getVolumesList());
        };
    }

    private static boolean isInNeed(VolumeOverview volume) {
        return volume.getVolume().getState() != VolumeState.VOLUME_STATE_READY
                || volume.getTraffic().getDamagedBlocks() > 0;
    }

    private Double ofTraffic(String what, List<VolumeOverview> volumes) {
        Function<Traffic, Answered> kind = MEANS.get(what);
        if (kind == null) {
            long grown = grown(volumes, traffic -> RATES.get(what).apply(traffic));
            return grown * NANOS_PER_SECOND / (now.getUptimeNanos() - before.getUptimeNanos());
        }
        long requests = grown(volumes, traffic -> kind.apply(traffic).getRequests());
        long nanos = grown(volumes, traffic -> kind.apply(traffic).getNanos());
        return requests == 0 ? null : Double.valueOf((double) nanos / requests);
    }

    private static Double mean(Answered now, Answered before) {
        long requests = now.getRequests() - before.getRequests();
        return requests == 0 ? null : Double.valueOf((double) (now.getNanos() - before.getNanos()) / requests);
    }

    /** By how much counters have grown, of volumes that were there before. */
    private long grown(List<VolumeOverview> volumes, ToLongFunction<Traffic> counter) {
        List<Long> parts = new ArrayList<>();
        for (VolumeOverview volume : volumes) {
            VolumeOverview earlier = volume(before, volume.getVolume().getName());
            if (earlier != null
                    && earlier.getVolume().getUuid().equals(volume.getVolume().getUuid())) {
                parts.add(counter.applyAsLong(volume.getTraffic()) - counter.applyAsLong(earlier.getTraffic()));
            }
        }
        return parts.stream().mapToLong(Long::longValue).sum();
    }

    private static VolumeOverview volume(Overview overview, String name) {
        return overview.getVolumesList().stream()
                .filter(volume -> volume.getVolume().getName().equals(name))
                .findFirst()
                .orElse(null);
    }
}
