package io.farblock.server;

/**
 * How far the merge of two layers is.
 *
 * @param movedBytes since it began, or since the server was started
 * @param totalBytes what there was to move then, as far as the disk tells
 * @param waitsFor why nothing is being moved, for people; null if something is
 */
record MergeStatus(long movedBytes, long totalBytes, String waitsFor) {
    static MergeStatus waiting(String reason) {
        return new MergeStatus(0, 0, reason);
    }
}
