package io.farblock.simulation;

import io.netty.buffer.ByteBuf;
import java.util.ArrayDeque;

/**
 * One direction of a connection, as TCP carries it: bytes arrive in order, in pieces of any length, or from some byte on
 * not at all.
 */
final class Pipe {
    /** Who reads at its end. */
    interface Reader {
        void receive(ByteBuf bytes);

        /** Where the next bytes belong, to be appended and given to {@link #receive}; null, if anywhere will do. */
        ByteBuf landing();

        void endOfTurn();

        /** There comes nothing more, because the other end has closed or the connection broke. */
        void ended();
    }

    private static final long SHORTEST_NANOS = 10_000;

    private final Schedule schedule;
    private final long latencyNanos;
    private final Life readerLife;
    private final Reader reader;
    private final ArrayDeque<ByteBuf> sent = new ArrayDeque<>();
    private final Runnable deliver = this::deliver;
    private long notBeforeNanos;
    private boolean planned;
    private boolean finished;
    private boolean lost;
    private boolean over;
    private boolean flipNext;

    Pipe(Schedule schedule, long latencyNanos, Life readerLife, Reader reader) {
        this.latencyNanos = latencyNanos;
        this.schedule = schedule;
        this.readerLife = readerLife;
        this.reader = reader;
    }

    /** Takes a buffer over. */
    void send(ByteBuf bytes) {
        if (lost || finished) {
            bytes.release();
        } else {
            sent.add(bytes);
        }
    }

    /** What was sent goes out. */
    void flush() {
        plan();
    }

    /** After what was sent comes the end. */
    void finish() {
        finished = true;
        plan();
    }

    /** What arrives from now on is lost, and nobody hears of it. */
    void lose() {
        lost = true;
        drop();
    }

    /** Of what is under way only so many bytes arrive, and then the end. */
    void cutAfter(int bytes) {
        int left = bytes;
        ArrayDeque<ByteBuf> kept = new ArrayDeque<>();
        for (ByteBuf buffer = sent.poll(); buffer != null; buffer = sent.poll()) {
            int step = Math.min(left, buffer.readableBytes());
            left -= step;
            if (step == 0) {
                buffer.release();
            } else {
                kept.add(buffer.writerIndex(buffer.readerIndex() + step));
            }
        }
        sent.addAll(kept);
        finish();
    }

    /** Nothing arrives for so long. */
    void delay(long nanos) {
        notBeforeNanos = Math.max(notBeforeNanos, schedule.nowNanos() + nanos);
    }

    /** Changes a bit of what arrives next. */
    void flipNext() {
        flipNext = true;
    }

    /** Nobody reads any more. */
    void drop() {
        sent.forEach(ByteBuf::release);
        sent.clear();
    }

    /** How many bytes are under way. */
    int bytes() {
        int bytes = 0;
        for (ByteBuf buffer : sent) {
            bytes += buffer.readableBytes();
        }
        return bytes;
    }

    boolean isOver() {
        return over || lost;
    }

    private void plan() {
        if (!planned && !lost && !over) {
            planned = true;
            long soonest = schedule.nowNanos() + SHORTEST_NANOS + schedule.randomNanos(latencyNanos);
            schedule.at(Math.max(notBeforeNanos, soonest), readerLife, deliver);
        }
    }

    private void deliver() {
        planned = false;
        if (lost || over) {
            return;
        }
        if (schedule.nowNanos() < notBeforeNanos) {
            plan();
            return;
        }
        boolean stopsShort = deliverBuffers();
        reader.endOfTurn();
        if (stopsShort || !sent.isEmpty()) {
            plan();
        } else if (finished && !over) {
            over = true;
            reader.ended();
        }
    }

    /** Returns whether it stopped in the middle. */
    private boolean deliverBuffers() {
        for (ByteBuf buffer = sent.peek(); buffer != null; buffer = sent.peek()) {
            boolean stopsShort = schedule.oneIn(8);
            deliver(buffer, stopsShort ? 1 + schedule.random(buffer.readableBytes()) : buffer.readableBytes());
            // The reader may have hung up, and everything is gone.
            if (!sent.isEmpty() && !buffer.isReadable()) {
                sent.poll();
                buffer.release();
            }
            if (stopsShort) {
                return true;
            }
        }
        return false;
    }

    private void deliver(ByteBuf buffer, int bytes) {
        int end = buffer.writerIndex();
        int next = buffer.readerIndex() + bytes;
        if (flipNext) {
            flipNext = false;
            int at = buffer.readerIndex() + schedule.random(bytes);
            buffer.setByte(at, buffer.getByte(at) ^ 1 << schedule.random(8));
        }
        ByteBuf landing = reader.landing();
        if (landing != null) {
            land(buffer, bytes, landing);
            return;
        }
        buffer.retain();
        buffer.writerIndex(next);
        reader.receive(buffer);
        buffer.setIndex(next, end);
        buffer.release();
    }

    private void land(ByteBuf buffer, int bytes, ByteBuf landing) {
        buffer.retain();
        landing.writeBytes(buffer, Math.min(bytes, landing.writableBytes()));
        reader.receive(landing);
        landing.release();
        buffer.release();
    }
}
