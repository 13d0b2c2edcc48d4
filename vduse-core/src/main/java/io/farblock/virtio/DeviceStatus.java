package io.farblock.virtio;

/** Bits of the device status field (virtio 1.2, section 2.1). */
public final class DeviceStatus {
    public static final int ACKNOWLEDGE = 1;
    public static final int DRIVER = 2;
    public static final int DRIVER_OK = 4;
    public static final int FEATURES_OK = 8;
    public static final int NEEDS_RESET = 64;
    public static final int FAILED = 128;

    private DeviceStatus() {}

    /** The status in words. */
    public static String describe(int status) {
        if (status == 0) {
            return "reset";
        }
        StringBuilder text = new StringBuilder();
        append(text, status, ACKNOWLEDGE, "ACKNOWLEDGE");
        append(text, status, DRIVER, "DRIVER");
        append(text, status, FEATURES_OK, "FEATURES_OK");
        append(text, status, DRIVER_OK, "DRIVER_OK");
        append(text, status, NEEDS_RESET, "NEEDS_RESET");
        append(text, status, FAILED, "FAILED");
        return text.toString();
    }

    private static void append(StringBuilder text, int status, int bit, String name) {
        if ((status & bit) != 0) {
            text.append(text.length() == 0 ? "" : "|").append(name);
        }
    }
}
