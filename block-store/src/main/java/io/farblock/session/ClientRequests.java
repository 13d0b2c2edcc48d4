package io.farblock.session;

import io.farblock.block.BlockOperation;
import io.farblock.block.BlockRequest;
import io.farblock.block.BlockStatus;
import io.farblock.wire.FrameLayout;
import io.farblock.wire.Opcode;
import io.farblock.wire.ProtocolException;
import io.farblock.wire.ReplyLayout;
import io.farblock.wire.StatusCode;
import io.farblock.wire.proto.Welcome;
import io.netty.buffer.ByteBuf;

/**
 * The requests of one queue on their way over connections that come and go: sent within the credits, answered in any
 * order, sent again in the order of submission.
 *
 * <p>The generation in the tag tells a reply to a request that was cancelled from one to its successor on the same
 * head: replies of an older generation are counted, read and dropped.
 */
final class ClientRequests {
    private final InFlightTable table;
    private final PartSender sender;
    private final int queue;
    private final int heads;
    private final UnflushedWrites unflushed;
    private final LateRefusals refused;
    private final WaitingChanges waiting;
    private final long[] flushUpTo;
    private int generation = 1;
    private int credits;
    private long maxBytesInFlight;
    private int maxPayloadBytes = FrameLayout.MAX_CONTROL_BYTES;
    private int framesInFlight;
    private long bytesInFlight;
    private int staleFrames;
    private long staleBytes;
    private boolean someToRetry;
    private boolean staleEpochSeen;
    private boolean pastEraSeen;
    private int era;
    private int ownCount;
    private int brokenHead = InFlightTable.NONE;

    // The reply that is being received.
    private int replyHead;
    private int replyPart;
    private BlockStatus replyStatus = BlockStatus.OK;
    private boolean replyDropped;
    private final ReplyPayload replyPayload = new ReplyPayload();

    /**
     * @param heads the heads of the queue; those of {@link OwnRequests} follow
     * @param refused takes requests that fail before they are sent
     */
    ClientRequests(int queue, int heads, FrameWriter writer, UnflushedWrites unflushed, LateRefusals refused) {
        this.queue = queue;
        this.heads = heads;
        this.unflushed = unflushed;
        this.refused = refused;
        table = new InFlightTable(heads + OwnRequests.HEADS);
        sender = new PartSender(table, queue, writer);
        waiting = new WaitingChanges(heads, unflushed);
        flushUpTo = new long[heads + OwnRequests.HEADS];
    }

    /** Requests of the queue that are not completed. */
    int count() {
        return table.count() - ownCount + waiting.count();
    }

    /** Frames without a reply. */
    int framesInFlight() {
        return framesInFlight;
    }

    int maxPayloadBytes() {
        return maxPayloadBytes;
    }

    /** Whether the server has refused a request because another client took the volume over. */
    boolean staleEpochSeen() {
        return staleEpochSeen;
    }

    /** Whether an acknowledgement did not count, because it belongs to a past era of the log. */
    boolean pastEraSeen() {
        return pastEraSeen;
    }

    /** The era of the log that the connection belongs to; 0 before the first. */
    int era() {
        return era;
    }

    /** The server has welcomed a connection, under these terms. */
    void welcomed(Welcome welcome, int connectionEra) {
        if (era != connectionEra) {
            // Parts that were acknowledged in another era may be lost.
            era = connectionEra;
            table.beginAll();
        }
        maxPayloadBytes = welcome.getMaxPayloadBytes();
        table.partBytes(maxPayloadBytes);
        credits = welcome.getMaxInFlight();
        maxBytesInFlight = welcome.getMaxInFlightBytes();
        sender.agreed(
                (welcome.getFeatures() & FrameLayout.FEATURE_PAYLOAD_CRC) != 0,
                Integer.toUnsignedLong(welcome.getEpoch()));
    }

    void credits(int newCredits) {
        credits = newCredits;
    }

    /** How many parts the request would have; see {@link InFlightTable#partsOf}. */
    long partsOf(BlockRequest request) {
        return table.partsOf(request);
    }

    /** Takes a request of the queue. A change waits until there is room to keep it. */
    void add(BlockRequest request) {
        if (!request.operation().changes() || waiting.admits(request)) {
            table.add(request);
        }
    }

    /** Takes a request of the session itself; it goes before all others. */
    void addOwn(BlockRequest request) {
        request.submitted();
        table.addFirst(request);
        ownCount++;
    }

    /** Whether changes wait for room. */
    boolean someWait() {
        return waiting.count() > 0;
    }

    /** Lets changes go that waited for room, if there is some. */
    void admitWaiting() {
        for (BlockRequest change = waiting.next(); change != null; change = waiting.next()) {
            table.add(change);
        }
    }

    /** Ends the changes that wait for room. */
    void failWaiting(BlockStatus status) {
        waiting.end(waiting.count(), status);
    }

    /** Sends what the credits allow, of the session's own requests or of all; one frame is always allowed. */
    void pump(boolean all) {
        for (int head = table.headToSend();
                head != InFlightTable.NONE && (all || isOwn(head));
                head = table.headToSend()) {
            int part = table.partToSend(head);
            int bytes = table.carriedBytes(head, part);
            if (framesInFlight > 0 && (framesInFlight >= credits || bytesInFlight + bytes > maxBytesInFlight)) {
                return;
            }
            send(head, part, bytes);
        }
    }

    private void send(int head, int part, int bytes) {
        table.markSent(head, part);
        if (table.request(head).operation() == BlockOperation.FLUSH) {
            flushUpTo[head] = unflushed.flushSent();
        }
        if (sender.send(generation, head, part)) {
            framesInFlight++;
            bytesInFlight += bytes;
        } else if (table.finish(head, part, BlockStatus.IO_ERROR)) {
            // Not from inside a submit.
            refused.add(remove(head, false), BlockStatus.IO_ERROR);
        }
    }

    private boolean isOwn(int head) {
        return head >= heads;
    }

    private BlockRequest remove(int head, boolean isKept) {
        BlockRequest request = table.remove(head);
        if (isOwn(head)) {
            ownCount--;
        } else if (!isKept && request.operation().changes()) {
            unflushed.unreserve(KeptChanges.sizeOf(request));
        }
        return request;
    }

    /** Lets parts that the server could not do be sent again. */
    void retry() {
        if (someToRetry) {
            someToRetry = false;
            table.rewind();
        }
    }

    /** Begins a reply. It must be one to a part that is in flight, now or before a cancel. */
    void replyHeader(ByteBuf bytes, int at) throws ProtocolException {
        if (FrameLayout.queue(bytes, at) != queue) {
            throw new ProtocolException("a reply for another queue");
        }
        int age = generation - FrameLayout.generation(bytes, at);
        replyDropped = age > 0;
        if (replyDropped) {
            if (staleFrames == 0) {
                throw new ProtocolException("a reply to a request that was completed");
            }
            return;
        }
        replyHead = FrameLayout.head(bytes, at);
        replyPart = FrameLayout.part(bytes, at);
        if (age != 0 || !table.awaits(replyHead, replyPart)) {
            throw new ProtocolException("a reply to a request that is not in flight");
        }
        replyStatus = StatusCode.status(ReplyLayout.statusCode(bytes, at));
        checkFits(bytes, at);
        replyPayload.begin(table.request(replyHead).payload(), table.payloadPosition(replyPart));
    }

    private void checkFits(ByteBuf bytes, int at) throws ProtocolException {
        int opcode = FrameLayout.opcode(bytes, at);
        if (opcode != Opcode.of(table.request(replyHead).operation())) {
            throw new ProtocolException("a reply with another opcode than its request");
        }
        boolean carries = opcode == Opcode.READ && replyStatus == BlockStatus.OK;
        if (carries && FrameLayout.payloadBytes(bytes, at) != table.carriedBytes(replyHead, replyPart)) {
            throw new ProtocolException("a reply with a payload of a wrong length");
        }
    }

    private void dropStale() {
        staleFrames--;
        framesInFlight--;
        if (staleFrames == 0) {
            // Which of them an error reply was to, and so without a payload, is not known: all count until the last.
            bytesInFlight -= staleBytes;
            staleBytes = 0;
        }
    }

    /** More of the payload: goes to the memory of the request at once. */
    void replyPayload(ByteBuf bytes, int at, int length) {
        if (!replyDropped) {
            replyPayload.take(bytes, at, length);
        }
    }

    /** That memory, if the rest of the payload can be received into it; or null. */
    ByteBuf replyLanding(int left) {
        return replyDropped ? null : replyPayload.landing(left);
    }

    /** The reply is complete; returns whether the connection is still to be trusted. */
    boolean replyEnd(boolean intact) {
        if (replyDropped) {
            dropStale();
            return intact;
        }
        if (!intact) {
            payloadBroke(replyHead);
            return false;
        }
        int head = replyHead;
        answered(table.carriedBytes(head, replyPart));
        if (replyStatus == BlockStatus.RETRY) {
            table.unsend(head, replyPart);
            someToRetry = true;
        } else if (replyStatus == BlockStatus.STALE_EPOCH) {
            staleEpochSeen = true;
            table.unsend(head, replyPart);
        } else if (table.finish(head, replyPart, replyStatus)) {
            end(head, table.status(head));
        }
        return true;
    }

    private void end(int head, BlockStatus replied) {
        BlockStatus status = replied == BlockStatus.OK ? acknowledge(head) : replied;
        if (status == BlockStatus.RETRY) {
            pastEraSeen = true;
            table.beginAgain(head);
        } else {
            if (table.request(head).operation() == BlockOperation.FLUSH && status != BlockStatus.OK) {
                unflushed.flushFailed();
            }
            remove(head, status == BlockStatus.OK).complete(status);
        }
    }

    /** What a success of the server is worth: RETRY, if it belongs to a past era of the log. */
    private BlockStatus acknowledge(int head) {
        BlockRequest request = table.request(head);
        if (request.operation() == BlockOperation.FLUSH) {
            return unflushed.flushed(flushUpTo[head], era, !isOwn(head));
        }
        boolean isKept = request.operation().changes() && !isOwn(head);
        return isKept ? unflushed.keep(request, era) : BlockStatus.OK;
    }

    private void answered(int bytes) {
        framesInFlight--;
        bytesInFlight -= bytes;
    }

    /**
     * A payload of this request was not what was sent. The first time the connection is not to be trusted; the second
     * time it is this request that cannot be done.
     */
    private void payloadBroke(int head) {
        if (table.payloadBroke(head) > 1) {
            brokenHead = head;
        }
    }

    /** The server says that the payload of this write was not what was sent; it closes the connection itself. */
    void writePayloadBroke(int tagGeneration, int head, int part) {
        if (tagGeneration == generation && table.awaits(head, part)) {
            payloadBroke(head);
        }
    }

    /** Whether {@link #failBroken} will fail one. */
    boolean oneIsBroken() {
        return brokenHead != InFlightTable.NONE;
    }

    /** Fails the request that cannot be done, if there is one. Its connection is gone, and with it its other parts. */
    void failBroken() {
        if (brokenHead != InFlightTable.NONE) {
            int head = brokenHead;
            brokenHead = InFlightTable.NONE;
            remove(head, false).complete(BlockStatus.IO_ERROR);
        }
    }

    /** The connection is gone: everything not answered waits to be sent again. Returns how many requests that are. */
    int disconnected() {
        framesInFlight = 0;
        bytesInFlight = 0;
        staleFrames = 0;
        staleBytes = 0;
        replyDropped = true;
        someToRetry = false;
        pastEraSeen = false;
        endOwn();
        return table.unsendAll();
    }

    /** They go before all others, so that they are the first of the table. */
    private void endOwn() {
        if (isOwn(brokenHead)) {
            brokenHead = InFlightTable.NONE;
        }
        while (ownCount > 0) {
            remove(table.first(), false).complete(BlockStatus.RETRY);
        }
    }

    /** Whether there are changes in flight: such that were sent over this connection, or any. */
    boolean hasChanges(boolean sentOnly) {
        for (int head = table.first(); head != InFlightTable.NONE; head = table.next(head)) {
            if (table.request(head).operation().changes() && (!sentOnly || table.awaitsAny(head))) {
                return true;
            }
        }
        return false;
    }

    /** Completes all that is here now; what a completion submits stays. */
    void cancel(BlockStatus status) {
        generation++;
        brokenHead = InFlightTable.NONE;
        replyDropped = true;
        staleFrames = framesInFlight;
        staleBytes = bytesInFlight;
        endOwn();
        int waited = waiting.count();
        for (int left = table.count(); left > 0; left--) {
            remove(table.first(), false).complete(status);
        }
        waiting.end(waited, status);
    }
}
