package io.farblock.virtio;

import io.farblock.linux.LinuxException;
import io.farblock.linux.MappedMemory;
import io.farblock.memory.GuestRange;
import io.farblock.memory.GuestRegion;

/** Shared memory of a process that can be killed before any of its stores. What was stored before it, stays. */
public final class MortalRegion extends GuestRegion {
    private final Life life;

    /** How long a process lives. */
    public static final class Life {
        private int storesLeft = Integer.MAX_VALUE;

        /** From now on so many stores happen, and the next one kills. */
        public void endAfter(int stores) {
            storesLeft = stores;
        }

        private void store() {
            if (storesLeft-- == 0) {
                throw new Killed();
            }
        }
    }

    /** The process is no more. */
    public static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /** A driver's region as the process maps it. */
    MortalRegion(DriverRegion region, Life life) throws LinuxException {
        this(region, region.mapping(), life);
    }

    /** The same with a mapping that is there, closed with this. */
    public MortalRegion(DriverRegion region, MappedMemory mapping, Life life) {
        super(region.iova(), region.lengthBytes(), true, true, region.backing(), false, mapping, 0);
        this.life = life;
    }

    @Override
    public GuestRange range(long firstIova, long rangeBytes) {
        return new MortalRange(this, firstIova, rangeBytes, life);
    }

    private static final class MortalRange extends GuestRange {
        private final Life life;

        MortalRange(GuestRegion region, long iova, long lengthBytes, Life life) {
            super(region, iova, lengthBytes);
            this.life = life;
        }

        @Override
        public void putU16(long offset, int value) {
            life.store();
            super.putU16(offset, value);
        }

        @Override
        public void putU16Release(long offset, int value) {
            life.store();
            super.putU16Release(offset, value);
        }

        @Override
        public void putU64(long offset, long value) {
            life.store();
            super.putU64(offset, value);
        }

        @Override
        public void putU64Release(long offset, long value) {
            life.store();
            super.putU64Release(offset, value);
        }
    }
}
