package io.farblock.vduse;

/** Numbers and layouts of linux/vduse.h, in the order of the header. All fields are in the machine's byte order. */
final class VduseAbi {
    // Each number is _IOC(direction, 0x81, nr, size); both architectures use the generic encoding.
    static final long SET_API_VERSION = 0x40088101L;
    static final long CREATE_DEV = 0x41508102L;
    static final long DESTROY_DEV = 0x41008103L;
    static final long IOTLB_GET_FD = 0xC0208110L;
    static final long DEV_GET_FEATURES = 0x80088111L;
    static final long DEV_SET_CONFIG = 0x40088112L;
    static final long DEV_INJECT_CONFIG_IRQ = 0x8113L;
    static final long VQ_SETUP = 0x40208114L;
    static final long VQ_GET_INFO = 0xC0308115L;
    static final long VQ_SETUP_KICKFD = 0x40088116L;
    static final long VQ_INJECT_IRQ = 0x40048117L;

    static final int NAME_BYTES = 256;
    static final int DEVICE_ID_BLOCK = 2;
    /** vq_align: the kernel accepts up to a page, newer ones only powers of two. */
    static final int RING_ALIGNMENT = 4096;

    /** struct vduse_dev_config, followed by the config space. */
    static final class DevConfig {
        static final int NAME = 0;
        static final int VENDOR_ID = 256;
        static final int DEVICE_ID = 260;
        static final int FEATURES = 264;
        static final int VQ_NUM = 272;
        static final int VQ_ALIGN = 276;
        static final int CONFIG_SIZE = 332;
        static final int CONFIG = 336;

        private DevConfig() {}
    }

    /** struct vduse_iotlb_entry. */
    static final class IotlbEntry {
        static final int OFFSET = 0;
        static final int START = 8;
        static final int LAST = 16;
        static final int PERM = 24;
        static final int BYTES = 32;
        static final int ACCESS_RO = 1;
        static final int ACCESS_WO = 2;

        private IotlbEntry() {}
    }

    /** struct vduse_config_data, followed by the bytes. */
    static final class ConfigData {
        static final int OFFSET = 0;
        static final int LENGTH = 4;
        static final int BUFFER = 8;

        private ConfigData() {}
    }

    /** struct vduse_vq_config. */
    static final class VqConfig {
        static final int INDEX = 0;
        static final int MAX_SIZE = 4;
        static final int BYTES = 32;

        private VqConfig() {}
    }

    /** struct vduse_vq_info. */
    static final class VqInfo {
        static final int INDEX = 0;
        static final int NUM = 4;
        static final int DESC_ADDR = 8;
        static final int DRIVER_ADDR = 16;
        static final int DEVICE_ADDR = 24;
        static final int AVAIL_INDEX = 32;
        static final int READY = 40;
        static final int BYTES = 48;

        private VqInfo() {}
    }

    /** struct vduse_vq_eventfd. */
    static final class VqEventfd {
        static final int INDEX = 0;
        static final int FD = 4;
        static final int BYTES = 8;

        private VqEventfd() {}
    }

    /** struct vduse_dev_request, what read() returns. */
    static final class Request {
        static final int TYPE = 0;
        static final int REQUEST_ID = 4;
        static final int VQ_STATE_INDEX = 24;
        static final int STATUS = 24;
        static final int IOVA_START = 24;
        static final int IOVA_LAST = 32;
        static final int BYTES = 152;
        static final int GET_VQ_STATE = 0;
        static final int SET_STATUS = 1;
        static final int UPDATE_IOTLB = 2;

        private Request() {}
    }

    /** struct vduse_dev_response, what write() takes. */
    static final class Response {
        static final int REQUEST_ID = 0;
        static final int RESULT = 4;
        static final int VQ_STATE_INDEX = 24;
        static final int VQ_STATE_AVAIL_INDEX = 28;
        static final int BYTES = 152;
        static final int OK = 0;
        static final int FAILED = 1;

        private Response() {}
    }

    private VduseAbi() {}
}
