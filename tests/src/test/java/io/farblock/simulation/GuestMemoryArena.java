package io.farblock.simulation;

import io.farblock.linux.LinuxException;
import io.farblock.linux.MappedMemory;
import io.farblock.memory.GuestRange;
import io.farblock.memory.GuestRegion;
import io.farblock.memory.RegionSource;
import io.farblock.virtio.DriverMemory;
import io.farblock.virtio.DriverRegion;
import io.farblock.virtio.InFlightLog;
import io.farblock.virtio.MortalRegion;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The memory of one queue of a guest, and of the log beside it; used for one seed after the other. Daemons have mappings
 * of their own of it, and a store through them can be the last one that they do.
 */
final class GuestMemoryArena {
    static final long RAM = 0x10000;
    static final int RINGS_BYTES = 8192;
    static final int HEADS = 32;
    static final int SLOT_BYTES = 0xA000;

    private final DriverMemory memory = new DriverMemory();
    private final DriverRegion ram = memory.add(RAM, RINGS_BYTES + (long) HEADS * SLOT_BYTES);
    private final DriverRegion log = memory.add(0, InFlightLog.SECTION_BYTES);
    private final List<MappedMemory> mappings = new ArrayList<>();

    /** Nobody uses it any more. */
    void reset() {
        mappings.forEach(MappedMemory::close);
        mappings.clear();
        for (int i = 0; i < InFlightLog.SECTION_BYTES; i += Long.BYTES) {
            log.bytes().putLong(i, 0);
        }
    }

    DriverMemory memory() {
        return memory;
    }

    /** The driver's view. */
    ByteBuffer bytes() {
        return ram.bytes();
    }

    /** The addresses mean other memory from now on, as far as anybody can tell. */
    void replace() {
        ram.replace();
    }

    /** What a daemon maps. */
    RegionSource source(MortalRegion.Life life) {
        return new RegionSource() {
            @Override
            public GuestRegion map(long iova) {
                return iova < RAM ? null : mortal(ram, life);
            }

            @Override
            public boolean isCurrent(GuestRegion region) {
                return memory.isCurrent(region);
            }
        };
    }

    /** The log, as a daemon maps it. */
    GuestRange log(MortalRegion.Life life) {
        return mortal(log, life).range(0, InFlightLog.SECTION_BYTES);
    }

    private MortalRegion mortal(DriverRegion region, MortalRegion.Life life) {
        try {
            MappedMemory mapping = region.mapping();
            mappings.add(mapping);
            return new MortalRegion(region, mapping, life);
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
    }
}
