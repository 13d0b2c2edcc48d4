package io.farblock.device;

/** What can be wrong with a request whose chain is sound. */
enum RequestFault {
    HEADER_MISSING("a request with less than a header"),
    STATUS_MISSING("a request without room for a status"),
    DATA_DIRECTION("a request whose data has the wrong direction"),
    DATA_LENGTH("a request whose data is empty or not made of whole blocks"),
    OUTSIDE_DISK("a request outside of the disk"),
    READ_ONLY("a change of a read-only disk"),
    RANGE_COUNT("a discard or write of zeros with no range, a broken one, or too many"),
    RANGE_LENGTH("a discard or write of zeros with an empty, too long or unaligned range"),
    RANGE_FLAGS("a discard or write of zeros with unknown flags"),
    ID_LENGTH("a request for the serial with too little room"),
    UNKNOWN_TYPE("a request of a type that was not offered");

    private final String text;

    RequestFault(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }

    /** The status that tells the driver. */
    int status() {
        return this == UNKNOWN_TYPE || this == RANGE_FLAGS ? BlkLayout.STATUS_UNSUPP : BlkLayout.STATUS_IOERR;
    }
}
