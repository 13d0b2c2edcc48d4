package io.farblock.daemon;

import io.farblock.api.node.HypervisorOptions;

/**
 * How hypervisors are told of a {@code /dev/vhost-vdpa-N}. Each of them is told to share the machine's memory as well:
 * the kernel gives the device none that is private to the hypervisor, and says so to nobody.
 */
final class Hypervisors {
    private Hypervisors() {}

    /** For a device that has a node, with as many queues as it has. */
    static HypervisorOptions options(String path, int queues) {
        return HypervisorOptions.newBuilder()
                .setQemu("-m 2G -object memory-backend-memfd,id=ram,size=2G,share=on -machine q35,memory-backend=ram"
                        // Not vhost-vdpa-device-pci: in QEMU 10.0 its rings have 1024 entries, ours 256.
                        + " -blockdev driver=virtio-blk-vhost-vdpa,node-name=disk,path=" + path + ",cache.direct=on"
                        + " -device virtio-blk-pci,drive=disk")
                .setLibvirt("<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>\n"
                        + "<disk type='vhostvdpa' device='disk'>\n"
                        + "  <driver name='qemu' type='raw' cache='none'/>\n"
                        + "  <source dev='" + path + "'/>\n"
                        + "  <target dev='vdb' bus='virtio'/>\n"
                        + "</disk>")
                .setCloudHypervisor("--memory size=2G,shared=on --vdpa path=" + path + ",num_queues=" + queues)
                .build();
    }
}
