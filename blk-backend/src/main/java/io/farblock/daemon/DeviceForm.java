package io.farblock.daemon;

import io.farblock.block.StoreInfo;
import io.farblock.block.StoreListener;
import io.farblock.block.Throttle;
import io.netty.channel.IoEventLoop;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the volume behind a device is like, which the stores of its queues learn one after the other, each over its own
 * connection.
 *
 * <p>The driver is told the smallest of their sizes, so that no queue ever refuses a request that another one's
 * connection has allowed. On the control loop, but for what says otherwise.
 */
final class DeviceForm {
    private static final Logger LOG = LoggerFactory.getLogger(DeviceForm.class);

    private final DeviceQueues queues;
    private final IoEventLoop control;
    private final Consumer<StoreInfo> publish;
    private final StoreInfo[] infos;
    private final Throttle throttle = new Throttle(System.nanoTime());
    private volatile StoreInfo info;
    private volatile Consumer<Runnable> keeper = Runnable::run;

    /** @param publish tells the driver, on the control loop */
    DeviceForm(StoreInfo info, DeviceQueues queues, IoEventLoop control, Consumer<StoreInfo> publish) {
        this.info = info;
        this.queues = queues;
        this.control = control;
        this.publish = publish;
        infos = new StoreInfo[queues.count()];
    }

    /** As the driver is told; from any thread. */
    StoreInfo info() {
        return info;
    }

    /** Has something done before the driver is told of a size; it runs what it is given when it is through. Any thread. */
    void keepFirst(Consumer<Runnable> newKeeper) {
        keeper = newKeeper;
    }

    /** Begins to listen to the stores. */
    void listen() {
        queues.onEachQueue(
                queue -> {
                    queue.store().listen(new QueueListener(queue));
                    // It may have changed before anybody listened.
                    heard(queue, queue.store().info());
                },
                () -> {});
    }

    /** On the queue's loop. */
    private void heard(QueueRunner queue, StoreInfo newInfo) {
        throttle.limit(newInfo.limits(), System.nanoTime());
        queue.queue().infoChanged(newInfo, throttle);
        control.execute(() -> {
            infos[queue.index()] = newInfo;
            tellDriver();
        });
    }

    private void tellDriver() {
        StoreInfo smallest = infos[0];
        for (StoreInfo one : infos) {
            if (one == null) {
                return;
            }
            smallest = one.sizeBytes() < smallest.sizeBytes() ? one : smallest;
        }
        StoreInfo before = info;
        info = smallest;
        if (smallest.sizeBytes() != before.sizeBytes()) {
            LOG.info(
                    "the volume {} has {} bytes now, {} before",
                    smallest.volumeId(),
                    smallest.sizeBytes(),
                    before.sizeBytes());
            keeper.accept(() -> control.execute(() -> publish.accept(info)));
        }
    }

    /** Hears for one queue, on its loop. */
    private final class QueueListener implements StoreListener {
        private final QueueRunner queue;

        QueueListener(QueueRunner queue) {
            this.queue = queue;
        }

        @Override
        public void infoChanged(StoreInfo newInfo) {
            heard(queue, newInfo);
        }

        @Override
        public void leaseLost(String holder) {
            // The session has told the log, once for all queues.
            queues.failAll();
        }
    }
}
