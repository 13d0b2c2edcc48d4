package io.farblock.vduse;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VduseAbiTest {
    private static final long TYPE = 0x81;

    private static long number(String name) {
        return switch (name) {
            case "SET_API_VERSION" -> VduseAbi.SET_API_VERSION;
            case "CREATE_DEV" -> VduseAbi.CREATE_DEV;
            case "DESTROY_DEV" -> VduseAbi.DESTROY_DEV;
            case "IOTLB_GET_FD" -> VduseAbi.IOTLB_GET_FD;
            case "DEV_GET_FEATURES" -> VduseAbi.DEV_GET_FEATURES;
            case "DEV_SET_CONFIG" -> VduseAbi.DEV_SET_CONFIG;
            case "DEV_INJECT_CONFIG_IRQ" -> VduseAbi.DEV_INJECT_CONFIG_IRQ;
            case "VQ_SETUP" -> VduseAbi.VQ_SETUP;
            case "VQ_GET_INFO" -> VduseAbi.VQ_GET_INFO;
            case "VQ_SETUP_KICKFD" -> VduseAbi.VQ_SETUP_KICKFD;
            case "VQ_INJECT_IRQ" -> VduseAbi.VQ_INJECT_IRQ;
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** Directions of the generic encoding: 1 for what the kernel reads, 2 for what it writes. */
    @ParameterizedTest
    @CsvSource({
        "SET_API_VERSION, 1, 1, 8",
        "CREATE_DEV, 1, 2, 336",
        "DESTROY_DEV, 1, 3, 256",
        "IOTLB_GET_FD, 3, 0x10, 32",
        "DEV_GET_FEATURES, 2, 0x11, 8",
        "DEV_SET_CONFIG, 1, 0x12, 8",
        "DEV_INJECT_CONFIG_IRQ, 0, 0x13, 0",
        "VQ_SETUP, 1, 0x14, 32",
        "VQ_GET_INFO, 3, 0x15, 48",
        "VQ_SETUP_KICKFD, 1, 0x16, 8",
        "VQ_INJECT_IRQ, 1, 0x17, 4"
    })
    void encodesIoctlNumbersAsTheKernelDoes(String name, long direction, String number, long sizeBytes) {
        long expected = (direction << 30) | (sizeBytes << 16) | (TYPE << 8) | Long.decode(number);
        assertThat(number(name)).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "vol-1, true",
        "A.b_c-9, true",
        "mail@monday, true",
        "'', false",
        ".hidden, false",
        "'..', false",
        "a/b, false",
        "control, false",
        "'a b', false",
        "ü, false"
    })
    void takesOnlyNamesThatAreSafeInPaths(String name, boolean taken) {
        assertThat(VduseDeviceConfig.checkName(name) == null).isEqualTo(taken);
    }

    @ParameterizedTest
    @CsvSource({"64, true", "65, false"})
    void limitsTheLengthOfNames(int length, boolean taken) {
        assertThat(VduseDeviceConfig.checkName("x".repeat(length)) == null).isEqualTo(taken);
    }

    /** Offsets and sizes as a C compiler gives them for the structures of linux/vduse.h, the same on both machines. */
    @Test
    void laysOutStructuresAsTheKernelDoes() {
        assertThat(new int[] {
                    VduseAbi.DevConfig.VENDOR_ID, VduseAbi.DevConfig.DEVICE_ID, VduseAbi.DevConfig.FEATURES,
                    VduseAbi.DevConfig.VQ_NUM, VduseAbi.DevConfig.VQ_ALIGN, VduseAbi.DevConfig.CONFIG_SIZE,
                    VduseAbi.DevConfig.CONFIG
                })
                .containsExactly(256, 260, 264, 272, 276, 332, 336);
        assertThat(new int[] {
                    VduseAbi.IotlbEntry.OFFSET,
                    VduseAbi.IotlbEntry.START,
                    VduseAbi.IotlbEntry.LAST,
                    VduseAbi.IotlbEntry.PERM,
                    VduseAbi.IotlbEntry.BYTES
                })
                .containsExactly(0, 8, 16, 24, 32);
        assertThat(new int[] {
                    VduseAbi.VqInfo.INDEX, VduseAbi.VqInfo.NUM, VduseAbi.VqInfo.DESC_ADDR,
                    VduseAbi.VqInfo.DRIVER_ADDR, VduseAbi.VqInfo.DEVICE_ADDR, VduseAbi.VqInfo.AVAIL_INDEX,
                    VduseAbi.VqInfo.READY, VduseAbi.VqInfo.BYTES
                })
                .containsExactly(0, 4, 8, 16, 24, 32, 40, 48);
        assertThat(new int[] {
                    VduseAbi.VqConfig.INDEX, VduseAbi.VqConfig.MAX_SIZE, VduseAbi.VqConfig.BYTES,
                    VduseAbi.VqEventfd.INDEX, VduseAbi.VqEventfd.FD, VduseAbi.VqEventfd.BYTES,
                    VduseAbi.ConfigData.OFFSET, VduseAbi.ConfigData.LENGTH, VduseAbi.ConfigData.BUFFER
                })
                .containsExactly(0, 4, 32, 0, 4, 8, 0, 4, 8);
        assertThat(new int[] {
                    VduseAbi.Request.TYPE, VduseAbi.Request.REQUEST_ID, VduseAbi.Request.VQ_STATE_INDEX,
                    VduseAbi.Request.STATUS, VduseAbi.Request.IOVA_START, VduseAbi.Request.IOVA_LAST,
                    VduseAbi.Request.BYTES
                })
                .containsExactly(0, 4, 24, 24, 24, 32, 152);
        assertThat(new int[] {
                    VduseAbi.Response.REQUEST_ID,
                    VduseAbi.Response.RESULT,
                    VduseAbi.Response.VQ_STATE_INDEX,
                    VduseAbi.Response.VQ_STATE_AVAIL_INDEX,
                    VduseAbi.Response.BYTES
                })
                .containsExactly(0, 4, 24, 28, 152);
    }
}
