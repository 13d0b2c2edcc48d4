package io.farblock.daemon;

import io.farblock.linux.FileDescriptor;
import io.farblock.linux.LibC;
import io.farblock.linux.LinuxException;
import io.farblock.linux.MappedMemory;
import io.farblock.memory.GuestRegion;
import io.farblock.memory.RegionSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** The memory that a vhost-user front end has shared. Set before the queues start, read by their loops. */
final class VhostUserRegions implements RegionSource {
    private static final int HEADER_BYTES = 8;
    private static final int REGION_BYTES = 32;

    private record Region(long iova, long lengthBytes, long frontEndAddress, long offset, FileDescriptor file) {}

    private final boolean stable;
    private volatile List<Region> regions = List.of();

    /** @param stable whether the memory is to be taken for the kernel's, which does not change in flight */
    VhostUserRegions(boolean stable) {
        this.stable = stable;
    }

    /** Takes the payload of SET_MEM_TABLE and its descriptors. */
    void set(ByteBuffer table, List<FileDescriptor> files) {
        List<Region> now = new ArrayList<>();
        for (int i = 0; i < table.getInt(0); i++) {
            int at = HEADER_BYTES + i * REGION_BYTES;
            now.add(new Region(
                    table.getLong(at),
                    table.getLong(at + 8),
                    table.getLong(at + 16),
                    table.getLong(at + 24),
                    files.get(i)));
        }
        regions = List.copyOf(now);
    }

    /** The guest address of an address in the front end's own space, which is how it names its rings. */
    long iova(long frontEndAddress) throws IOException {
        for (Region region : regions) {
            if (Long.compareUnsigned(frontEndAddress - region.frontEndAddress, region.lengthBytes) < 0) {
                return frontEndAddress - region.frontEndAddress + region.iova;
            }
        }
        throw new IOException("a ring at 0x" + Long.toHexString(frontEndAddress) + " is in no region");
    }

    @Override
    public GuestRegion map(long iova) {
        for (Region region : regions) {
            if (Long.compareUnsigned(iova - region.iova, region.lengthBytes) < 0) {
                return map(region);
            }
        }
        return null;
    }

    private GuestRegion map(Region region) {
        try {
            MappedMemory mapping = MappedMemory.map(
                    region.file, 0, region.offset + region.lengthBytes, LibC.PROT_READ | LibC.PROT_WRITE);
            return new GuestRegion(
                    region.iova, region.lengthBytes, true, true, region.file.subject(), stable, mapping, region.offset);
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean isCurrent(GuestRegion region) {
        return true;
    }
}
