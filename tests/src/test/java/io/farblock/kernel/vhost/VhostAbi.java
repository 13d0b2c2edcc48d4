package io.farblock.kernel.vhost;

/** Numbers and layouts of linux/vhost.h and linux/vhost_types.h. All fields are in the machine's byte order. */
final class VhostAbi {
    // Seen from the caller: WRITE hands data to the kernel.
    private static final int WRITE = 1;
    private static final int READ = 2;

    static final long SET_OWNER = code(0, 0x01, 0);
    static final long GET_FEATURES = code(READ, 0x00, 8);
    static final long SET_FEATURES = code(WRITE, 0x00, 8);
    static final long SET_VRING_NUM = code(WRITE, 0x10, 8);
    static final long SET_VRING_ADDR = code(WRITE, 0x11, VringAddr.BYTES);
    static final long SET_VRING_BASE = code(WRITE, 0x12, 8);
    static final long GET_VRING_BASE = code(READ | WRITE, 0x12, 8);
    static final long SET_VRING_KICK = code(WRITE, 0x20, 8);
    static final long SET_VRING_CALL = code(WRITE, 0x21, 8);
    static final long SET_BACKEND_FEATURES = code(WRITE, 0x25, 8);
    static final long GET_BACKEND_FEATURES = code(READ, 0x26, 8);
    static final long VDPA_GET_DEVICE_ID = code(READ, 0x70, 4);
    static final long VDPA_GET_STATUS = code(READ, 0x71, 1);
    static final long VDPA_SET_STATUS = code(WRITE, 0x72, 1);
    static final long VDPA_GET_CONFIG = code(READ, 0x73, Config.BUFFER);
    static final long VDPA_SET_VRING_ENABLE = code(WRITE, 0x75, 8);
    static final long VDPA_GET_VRING_NUM = code(READ, 0x76, 2);
    static final long VDPA_SET_CONFIG_CALL = code(WRITE, 0x77, 4);
    static final long VDPA_GET_IOVA_RANGE = code(READ, 0x78, 16);

    /** Bits of the backend features: messages carry an address space, and may be sent in batches. */
    static final long BACKEND_IOTLB_MSG_V2 = 1L << 1;

    static final long BACKEND_IOTLB_BATCH = 1L << 2;

    /** struct vhost_vring_state and struct vhost_vring_file: an index and a number. */
    static final class VringState {
        static final int INDEX = 0;
        static final int NUMBER = 4;
        static final int BYTES = 8;

        private VringState() {}
    }

    /** struct vhost_vring_addr; with vDPA the addresses are I/O virtual ones. */
    static final class VringAddr {
        static final int INDEX = 0;
        static final int DESC = 8;
        static final int USED = 16;
        static final int AVAIL = 24;
        static final int BYTES = 40;

        private VringAddr() {}
    }

    /** struct vhost_vdpa_config, followed by the bytes. */
    static final class Config {
        static final int OFFSET = 0;
        static final int LENGTH = 4;
        static final int BUFFER = 8;

        private Config() {}
    }

    /** struct vhost_msg_v2 with a struct vhost_iotlb_msg. */
    static final class IotlbMessage {
        static final int VERSION = 0;
        static final int IOVA = 8;
        static final int SIZE = 16;
        static final int USER_ADDRESS = 24;
        static final int PERMISSION = 32;
        static final int TYPE = 33;
        static final int BYTES = 72;
        static final int VERSION_2 = 2;
        static final byte UPDATE = 2;
        static final byte INVALIDATE = 3;
        static final byte BATCH_BEGIN = 5;
        static final byte BATCH_END = 6;

        private IotlbMessage() {}
    }

    private VhostAbi() {}

    /** _IOC of asm-generic/ioctl.h: direction in two bits, then size, type and number. */
    private static long code(int direction, int number, int sizeBytes) {
        return (long) direction << 30 | (long) sizeBytes << 16 | 0xAF << 8 | number;
    }
}
