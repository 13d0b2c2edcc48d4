package io.farblock.daemon;

import io.farblock.api.node.DeviceRecord;
import io.farblock.vduse.DeviceLifecycle;
import java.io.IOException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A device of this daemon and what it was attached for.
 *
 * @param name its name on the vdpa bus
 * @param record why it is there, as it was when this daemon began to serve it
 * @param serial what its driver reads as serial number
 * @param life where it is in its life
 * @param device the device, served
 * @param stores where its blocks are
 */
record AttachedDevice(
        String name,
        DeviceRecord record,
        String serial,
        DeviceLifecycle life,
        VduseBlkDevice device,
        VolumeStores stores) {
    private static final Logger LOG = LoggerFactory.getLogger(AttachedDevice.class);

    /** Its node under /dev, empty if there is none. From any thread. */
    String path() {
        try {
            return VdpaBus.devicePath(name);
        } catch (IOException e) {
            LOG.warn("{}: its node cannot be found: {}", name, e.getMessage());
            return "";
        }
    }
}
