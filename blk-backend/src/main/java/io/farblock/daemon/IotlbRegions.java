package io.farblock.daemon;

import io.farblock.linux.LinuxException;
import io.farblock.memory.GuestRegion;
import io.farblock.memory.RegionSource;
import io.farblock.vduse.VduseDevice;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The kernel's IOTLB of one device, as the source of a queue's memory. Called on the queue's loop. */
final class IotlbRegions implements RegionSource {
    private static final Logger LOG = LoggerFactory.getLogger(IotlbRegions.class);

    private final VduseDevice device;
    private boolean failureLogged;

    IotlbRegions(VduseDevice device) {
        this.device = device;
    }

    @Override
    public GuestRegion map(long iova) {
        try {
            return device.mapRegion(iova);
        } catch (LinuxException e) {
            logOnce(e);
            return null;
        }
    }

    @Override
    public boolean isCurrent(GuestRegion region) {
        try {
            return device.isCurrent(region);
        } catch (LinuxException e) {
            logOnce(e);
            return false;
        }
    }

    @Override
    public boolean isEmpty() {
        try {
            return !device.hasMemory();
        } catch (LinuxException e) {
            logOnce(e);
            return false;
        }
    }

    private void logOnce(LinuxException e) {
        if (!failureLogged) {
            failureLogged = true;
            LOG.error("{}: the driver's memory cannot be mapped: {}", device.name(), e.getMessage());
        }
    }
}
