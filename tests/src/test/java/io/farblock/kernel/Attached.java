package io.farblock.kernel;

import io.farblock.api.node.Device;

/**
 * A volume of a node's server and the device of it on that node, under the same name. Closing takes both away; where a
 * test has failed, what goes wrong with that is added to the failure and does not hide it.
 */
record Attached(Node node, Device device) implements AutoCloseable {
    /** The block device. */
    String path() {
        return device.getPath();
    }

    @Override
    public void close() {
        node.detach(device.getName());
        node.delete(device.getName());
    }
}
