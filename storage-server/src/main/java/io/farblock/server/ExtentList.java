package io.farblock.server;

import io.farblock.api.admin.Extent;
import io.farblock.api.admin.ListExtentsResponse;

/** One answer of the admin API about extents. */
final class ExtentList implements Extents.Visitor {
    // An answer of a MiB or so, and gRPC takes 4.
    private static final int MAX_EXTENTS = 50_000;

    private final boolean zerosToo;
    private final ListExtentsResponse.Builder list;

    /** @param zerosToo whether zeros are told too, as they are where they are a change */
    ExtentList(ListExtentsResponse.Builder list, boolean zerosToo) {
        this.list = list;
        this.zerosToo = zerosToo;
    }

    @Override
    public boolean extent(long offset, long lengthBytes, boolean isData) {
        if (isData || zerosToo) {
            list.addExtents(Extent.newBuilder()
                    .setOffsetBytes(offset)
                    .setLengthBytes(lengthBytes)
                    .setZeros(!isData));
        }
        return list.getExtentsCount() < MAX_EXTENTS;
    }
}
