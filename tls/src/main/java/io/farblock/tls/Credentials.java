package io.farblock.tls;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The credentials of one end, from a folder that is read again every second, so that a renewed certificate and a new
 * list of revoked ones are heeded without a restart. What cannot be used is logged once, and what was there before stays in use. What expires soon is logged once a day. From
 * any thread.
 */
final class Credentials implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Credentials.class);
    private static final int REFRESH_MILLIS = 1000;
    private static final Duration WARN_EVERY = Duration.ofDays(1);

    private final Path folder;
    private final ScheduledExecutorService watcher;
    private volatile Contexts current;
    private String complaint = "";
    private Instant warnedAt = Instant.MIN;

    Credentials(Path folder) throws CredentialsException {
        this.folder = folder;
        current = Contexts.of(CredentialFiles.read(folder));
        watcher = Executors.newSingleThreadScheduledExecutor(work -> {
            Thread thread = new Thread(work, "farblock-credentials");
            thread.setDaemon(true);
            return thread;
        });
        var unused =
                watcher.scheduleWithFixedDelay(this::refresh, REFRESH_MILLIS, REFRESH_MILLIS, TimeUnit.MILLISECONDS);
    }

    Contexts current() {
        return current;
    }

    /** Reads the folder again. */
    synchronized void refresh() {
        try {
            CredentialFiles found = CredentialFiles.read(folder);
            if (!found.isSameAs(current.files())) {
                if (current.files().hasRevoked() && !found.hasRevoked()) {
                    throw new CredentialsException("there is no " + folder.resolve(CredentialFiles.REVOKED)
                            + " any more, and without it the revoked would be let in: copy it here again");
                }
                current = Contexts.of(found);
                LOG.info("credentials of {} were read again from {}", current.identity(), folder);
            }
            complaint = "";
        } catch (CredentialsException | RuntimeException e) {
            // Files that are replaced one after the other do not fit for a moment; said once, it is no flood.
            String now = String.valueOf(e.getMessage());
            if (!now.equals(complaint)) {
                LOG.warn("credentials stay as they were: {}", now);
                complaint = now;
            }
        }
        warn(Instant.now());
    }

    private void warn(Instant now) {
        String warning = current.expiry().warning(now);
        if (warning != null && now.minus(WARN_EVERY).isAfter(warnedAt)) {
            LOG.warn("{}", warning);
            warnedAt = now;
        }
    }

    @Override
    public void close() {
        watcher.shutdownNow();
    }
}
