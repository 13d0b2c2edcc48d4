package io.farblock.server;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.farblock.api.admin.Event;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;

/** An event of the audit log in words. */
final class AuditEvents {
    private AuditEvents() {}

    /** The same event for people, without a number. */
    static Event.Builder inWords(Struct.Builder audited) {
        Map<String, Value> fields = audited.getFieldsMap();
        Event.Builder event = Event.newBuilder()
                .setUnixMillis(Instant.parse(text(fields, "time")).toEpochMilli())
                .setWho(text(fields, "who"))
                .setVolume(text(fields, "volume"));
        return switch (text(fields, "event")) {
            case "open" -> event.setWhat(opened(fields));
            case "refused" -> event.setWhat(text(fields, "reason")).setRefused(true);
            case "refusals" ->
                event.setWhat("was refused " + times(fields) + " more times").setRefused(true);
            default -> called(event, fields);
        };
    }

    private static String opened(Map<String, Value> fields) {
        String how =
                flag(fields, "take_over") ? "took it over" : flag(fields, "writer") ? "opened it" : "opened it to read";
        return how + " as " + text(fields, "client") + " from " + text(fields, "address");
    }

    private static Event.Builder called(Event.Builder event, Map<String, Value> fields) {
        String method = words(text(fields, "method").replaceAll("(?<=[a-z])(?=[A-Z])", " "));
        String result = text(fields, "result");
        boolean isDone = result.equals("OK");
        return event.setWhat(isDone ? method : method + ": " + words(result)).setRefused(!isDone);
    }

    private static String words(String name) {
        return name.replace('_', ' ').toLowerCase(Locale.ROOT);
    }

    private static long times(Map<String, Value> fields) {
        return (long) fields.get("times").getNumberValue();
    }

    private static boolean flag(Map<String, Value> fields, String name) {
        return fields.getOrDefault(name, Value.getDefaultInstance()).getBoolValue();
    }

    private static String text(Map<String, Value> fields, String name) {
        return fields.getOrDefault(name, Value.getDefaultInstance()).getStringValue();
    }
}
