package io.farblock.session;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;

/**
 * The requests of one queue from submit to completion, by head, with the order in which they were submitted.
 *
 * <p>A request is one part or several: a read or a write longer than a frame is cut into pieces, a discard has a part
 * for each range. Of one request at most {@value #WINDOW} parts are under way at once, which two words per head
 * describe: which parts from {@code base} on were sent, and which of those are done.
 */
final class InFlightTable {
    static final int NONE = -1;

    /** A part is named by 16 bits on the wire. */
    static final int MAX_PARTS = 1 << 16;

    private static final int WINDOW = Long.SIZE;

    /** The longest range of a part: fits the wire's 32 bits and is made of whole blocks of any size. */
    private static final long RANGE_PART_BYTES = 1L << 31;

    private final BlockRequest[] requests;
    private final int[] next;
    private final int[] previous;
    private final int[] base;
    private final int[] partCount;
    private final long[] sent;
    private final long[] done;
    private final BlockStatus[] status;
    private final int[] brokenPayloads;
    private int first = NONE;
    private int last = NONE;
    private int cursor = NONE;
    private int count;
    private int partBytes = 1;

    InFlightTable(int heads) {
        requests = new BlockRequest[heads];
        next = new int[heads];
        previous = new int[heads];
        base = new int[heads];
        partCount = new int[heads];
        sent = new long[heads];
        done = new long[heads];
        status = new BlockStatus[heads];
        brokenPayloads = new int[heads];
    }

    int count() {
        return count;
    }

    int first() {
        return first;
    }

    int next(int head) {
        return next[head];
    }

    BlockRequest request(int head) {
        return requests[head];
    }

    /** How many parts a request has with the frames of now; may exceed {@link #MAX_PARTS}. */
    long partsOf(BlockRequest request) {
        long pieceBytes = pieceBytes(request);
        long parts = request.operation() == BlockOperation.FLUSH ? 1 : 0;
        for (int range = 0; range < request.rangeCount(); range++) {
            parts += pieces(request.length(range), pieceBytes);
        }
        return parts;
    }

    private long pieceBytes(BlockRequest request) {
        return carries(request) ? partBytes : RANGE_PART_BYTES;
    }

    private static boolean carries(BlockRequest request) {
        return request.operation() == BlockOperation.READ || request.operation() == BlockOperation.WRITE;
    }

    private static long pieces(long lengthBytes, long pieceBytes) {
        return (lengthBytes + pieceBytes - 1) / pieceBytes;
    }

    /** Appends a request, which has at least one part and at most {@link #MAX_PARTS}. */
    void add(BlockRequest request) {
        int head = enter(request);
        next[head] = NONE;
        previous[head] = last;
        if (last == NONE) {
            first = head;
        } else {
            next[last] = head;
        }
        last = head;
        if (cursor == NONE) {
            cursor = head;
        }
        count++;
    }

    /** Puts a request before all others. */
    void addFirst(BlockRequest request) {
        int head = enter(request);
        previous[head] = NONE;
        next[head] = first;
        if (first == NONE) {
            last = head;
        } else {
            previous[first] = head;
        }
        first = head;
        cursor = head;
        count++;
    }

    private int enter(BlockRequest request) {
        int head = request.index();
        if (requests[head] != null) {
            throw new IllegalStateException("head " + head + " is in flight");
        }
        requests[head] = request;
        brokenPayloads[head] = 0;
        begin(head);
        return head;
    }

    private void begin(int head) {
        base[head] = 0;
        sent[head] = 0;
        done[head] = 0;
        status[head] = BlockStatus.OK;
        partCount[head] = (int) partsOf(requests[head]);
    }

    /** Takes a request out. */
    BlockRequest remove(int head) {
        BlockRequest request = requests[head];
        requests[head] = null;
        if (cursor == head) {
            cursor = next[head];
        }
        if (previous[head] == NONE) {
            first = next[head];
        } else {
            next[previous[head]] = next[head];
        }
        if (next[head] == NONE) {
            last = previous[head];
        } else {
            previous[next[head]] = previous[head];
        }
        count--;
        return request;
    }

    /** The head whose part is to be sent next, in the order of submission; or {@link #NONE}. */
    int headToSend() {
        while (cursor != NONE && unsent(cursor) == 0) {
            if (partCount[cursor] - base[cursor] > WINDOW) {
                return NONE;
            }
            cursor = next[cursor];
        }
        return cursor;
    }

    /** The part of that head. */
    int partToSend(int head) {
        return base[head] + Long.numberOfTrailingZeros(unsent(head));
    }

    private long unsent(int head) {
        int open = partCount[head] - base[head];
        long all = open >= WINDOW ? -1L : (1L << open) - 1;
        return all & ~sent[head];
    }

    void markSent(int head, int part) {
        sent[head] |= bit(head, part);
    }

    private long bit(int head, int part) {
        return 1L << (part - base[head]);
    }

    /** Whether this part was sent and not answered. Head and part come from the peer. */
    boolean awaits(int head, int part) {
        if (head >= requests.length || requests[head] == null) {
            return false;
        }
        int inWindow = part - base[head];
        return inWindow >= 0 && inWindow < WINDOW && ((sent[head] & ~done[head]) >>> inWindow & 1) != 0;
    }

    /** Whether any part of the request was sent and not answered. */
    boolean awaitsAny(int head) {
        return (sent[head] & ~done[head]) != 0;
    }

    /** A part was answered; returns whether it was the last one. The first error stays the request's status. */
    boolean finish(int head, int part, BlockStatus partStatus) {
        done[head] |= bit(head, part);
        if (status[head] == BlockStatus.OK) {
            status[head] = partStatus;
        }
        int finished = Long.numberOfTrailingZeros(~done[head]);
        base[head] += finished;
        // A shift by 64 would be one by 0.
        sent[head] = finished == WINDOW ? 0 : sent[head] >>> finished;
        done[head] = finished == WINDOW ? 0 : done[head] >>> finished;
        return base[head] == partCount[head];
    }

    BlockStatus status(int head) {
        return status[head];
    }

    /** Counts a payload that arrived broken; returns how many it were. */
    int payloadBroke(int head) {
        return ++brokenPayloads[head];
    }

    /** The part is to be sent again, after {@link #rewind}. */
    void unsend(int head, int part) {
        sent[head] &= ~bit(head, part);
    }

    /** Looks for parts to send from the first request on. */
    void rewind() {
        cursor = first;
    }

    /** The connection is gone: all that was not answered is to be sent again. Returns how many requests that are. */
    int unsendAll() {
        int again = 0;
        for (int head = first; head != NONE; head = next[head]) {
            if (awaitsAny(head)) {
                again++;
            }
            sent[head] = done[head];
        }
        rewind();
        return again;
    }

    /** From now on a frame carries so much; what is in the table begins anew, if that changes its parts. */
    void partBytes(int bytes) {
        if (bytes == partBytes) {
            return;
        }
        partBytes = bytes;
        beginAll();
    }

    /** All parts of all requests are to be sent again, also those that were answered. */
    void beginAll() {
        for (int head = first; head != NONE; head = next[head]) {
            begin(head);
        }
        rewind();
    }

    /** All parts of a request are to be sent again, after {@link #rewind}. */
    void beginAgain(int head) {
        begin(head);
    }

    /** Where a part of a read or a write begins in the payload. */
    long payloadPosition(int part) {
        return (long) part * partBytes;
    }

    /** How many bytes of payload travel for the part, one way or the other. */
    int carriedBytes(int head, int part) {
        return carries(requests[head]) ? (int) length(head, part) : 0;
    }

    /** Where the part begins in the volume. */
    long offset(int head, int part) {
        BlockRequest request = requests[head];
        if (request.operation() == BlockOperation.FLUSH) {
            return 0;
        }
        long pieceBytes = pieceBytes(request);
        int range = 0;
        long piece = part;
        for (long pieces; piece >= (pieces = pieces(request.length(range), pieceBytes)); range++) {
            piece -= pieces;
        }
        return request.offset(range) + piece * pieceBytes;
    }

    /** How much of the volume the part is about. */
    long length(int head, int part) {
        BlockRequest request = requests[head];
        if (request.operation() == BlockOperation.FLUSH) {
            return 0;
        }
        long pieceBytes = pieceBytes(request);
        int range = 0;
        long piece = part;
        for (long pieces; piece >= (pieces = pieces(request.length(range), pieceBytes)); range++) {
            piece -= pieces;
        }
        return Math.min(pieceBytes, request.length(range) - piece * pieceBytes);
    }
}
