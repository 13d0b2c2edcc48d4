package io.farblock.csi;

import java.util.Map;

/**
 * What the controller tells the node about one publication of a volume.
 *
 * @param publication its number, without which the server opens the volume for nobody
 * @param readOnly whether the node may only read
 */
record PublishContext(long publication, boolean readOnly) {
    private static final String PUBLICATION = "publication";
    private static final String READ_ONLY = "readOnly";

    Map<String, String> asMap() {
        return Map.of(PUBLICATION, Long.toString(publication), READ_ONLY, Boolean.toString(readOnly));
    }

    static PublishContext of(Map<String, String> context) {
        try {
            return new PublishContext(
                    Long.parseLong(context.getOrDefault(PUBLICATION, "0")),
                    Boolean.parseBoolean(context.getOrDefault(READ_ONLY, "false")));
        } catch (NumberFormatException e) {
            throw Refusal.invalid("publish_context is not one of this driver");
        }
    }
}
