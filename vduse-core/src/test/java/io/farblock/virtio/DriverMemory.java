package io.farblock.virtio;

import io.farblock.linux.LinuxException;
import io.farblock.memory.GuestRegion;
import io.farblock.memory.RegionSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * A guest's memory as its driver sees it, and the source of the device's mappings of it.
 *
 * <p>Everything the driver stores goes into memory and into a shadow; a byte that differs from the shadow was written
 * by the device. A test names what it expects the device to have written, and {@link #unexpectedChange} finds the rest.
 */
public final class DriverMemory implements RegionSource, AutoCloseable {
    static final String MEMFD_NAME = "farblock-guest";

    private final List<DriverRegion> regions = new ArrayList<>();
    private DriverRegion watched;
    private Runnable beforeWatched;
    private boolean stable;

    /** Has the device take what it maps from now on for the kernel's own, which does not change in flight. */
    public void makeStable() {
        stable = true;
    }

    /** Adds a region that the device may read and write. */
    public DriverRegion add(long iova, long lengthBytes) {
        return add(iova, lengthBytes, true, true);
    }

    /** Adds a region with the device's permissions. */
    public DriverRegion add(long iova, long lengthBytes, boolean readable, boolean writable) {
        try {
            DriverRegion region = new DriverRegion(iova, lengthBytes, readable, writable);
            regions.add(region);
            return region;
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Fills every region that has a shadow with bytes that say nothing. */
    public void fill(Random random) {
        byte[] noise = new byte[4096];
        for (DriverRegion region : regions) {
            for (int at = 0; region.isShadowed() && at < region.lengthBytes(); at += noise.length) {
                random.nextBytes(noise);
                int step = (int) Math.min(noise.length, region.lengthBytes() - at);
                region.window(region.iova()).put(at, noise, 0, step);
                region.shadow().put(at, noise, 0, step);
            }
        }
    }

    /** Runs an action just before the device maps the region of an address: in the middle of whatever it is doing. */
    public void beforeMapping(long iova, Runnable action) {
        watched = at(iova);
        beforeWatched = action;
    }

    @Override
    public GuestRegion map(long iova) {
        if (watched != null && watched.holds(iova)) {
            watched = null;
            beforeWatched.run();
        }
        try {
            DriverRegion region = find(iova);
            return region == null ? null : region.map(stable);
        } catch (LinuxException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public boolean isCurrent(GuestRegion region) {
        DriverRegion now = find(region.iova());
        return now != null && now.backing().equals(region.backing());
    }

    private DriverRegion find(long iova) {
        for (DriverRegion region : regions) {
            if (region.holds(iova)) {
                return region;
            }
        }
        return null;
    }

    private DriverRegion at(long iova) {
        DriverRegion region = find(iova);
        if (region == null) {
            throw new IllegalArgumentException("the driver has no memory at 0x" + Long.toHexString(iova));
        }
        return region;
    }

    public void putU8(long iova, int value) {
        DriverRegion region = at(iova);
        region.window(iova).put(region.inWindow(iova), (byte) value);
        if (region.isShadowed()) {
            region.shadow().put((int) (iova - region.iova()), (byte) value);
        }
    }

    public void putU16(long iova, int value) {
        DriverRegion region = at(iova);
        region.window(iova).putShort(region.inWindow(iova), (short) value);
        if (region.isShadowed()) {
            region.shadow().putShort((int) (iova - region.iova()), (short) value);
        }
    }

    public void putU32(long iova, int value) {
        DriverRegion region = at(iova);
        region.window(iova).putInt(region.inWindow(iova), value);
        if (region.isShadowed()) {
            region.shadow().putInt((int) (iova - region.iova()), value);
        }
    }

    public void putU64(long iova, long value) {
        DriverRegion region = at(iova);
        region.window(iova).putLong(region.inWindow(iova), value);
        if (region.isShadowed()) {
            region.shadow().putLong((int) (iova - region.iova()), value);
        }
    }

    /** Stores bytes one by one, over whatever regions they cross. */
    public void put(long iova, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            putU8(iova + i, bytes[i]);
        }
    }

    public int u8(long iova) {
        DriverRegion region = at(iova);
        return region.window(iova).get(region.inWindow(iova)) & 0xFF;
    }

    public int u16(long iova) {
        DriverRegion region = at(iova);
        return region.window(iova).getShort(region.inWindow(iova)) & 0xFFFF;
    }

    public int u32(long iova) {
        DriverRegion region = at(iova);
        return region.window(iova).getInt(region.inWindow(iova));
    }

    /** The bytes of a range, over whatever regions it crosses. */
    public byte[] bytes(long iova, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) u8(iova + i);
        }
        return bytes;
    }

    /** Says that the device is to have written a byte. */
    public void expect(long iova, int value) {
        DriverRegion region = at(iova);
        if (region.isShadowed()) {
            region.shadow().put((int) (iova - region.iova()), (byte) value);
        }
    }

    /** Says that the device may have written a range inside one region: what is there now is expected from now on. */
    public void allow(long iova, int length) {
        DriverRegion region = at(iova);
        ByteBuffer shadow = region.shadow();
        int offset = (int) (iova - region.iova());
        shadow.put(offset, region.window(iova), region.inWindow(iova), length);
    }

    /** Where the device wrote what nobody expected, in words, or null. */
    public String unexpectedChange() {
        for (DriverRegion region : regions) {
            int offset = region.firstChange();
            if (offset >= 0) {
                return "byte at 0x" + Long.toHexString(region.iova() + offset) + " is "
                        + region.window(region.iova()).get(offset) + " and not "
                        + region.shadow().get(offset);
            }
        }
        return null;
    }

    /** How many mappings of guest memory this process has, the driver's own included. */
    public static long mappings() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
            return lines.filter(line -> line.contains("/memfd:" + MEMFD_NAME)).count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        regions.forEach(DriverRegion::close);
    }
}
