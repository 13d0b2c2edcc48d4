package io.farblock.tls;

import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Until when the certificates of one end are good, and what to do before that. Immutable. */
record Expiry(Identity identity, X509Certificate own, X509Certificate authority) {
    private static final Duration NOTICE = Duration.ofDays(30);
    // Of one that is made anew every day nothing has to be said in the morning.
    private static final int NOTICE_PARTS = 3;

    /** What has to be renewed soon, in one line that says how; null if nothing has. */
    String warning(Instant now) {
        if (isDue(own, now)) {
            return "the certificate of " + identity + when(own, now) + ": renew it with farblock pki renew " + identity;
        }
        if (isDue(authority, now)) {
            return "the authority's own certificate" + when(authority, now)
                    + ", and with it all that it has signed: make another one with farblock pki init";
        }
        return null;
    }

    private static boolean isDue(X509Certificate certificate, Instant now) {
        Instant end = certificate.getNotAfter().toInstant();
        Duration life = Duration.between(certificate.getNotBefore().toInstant(), end);
        Duration part = life.dividedBy(NOTICE_PARTS);
        return now.isAfter(end.minus(part.compareTo(NOTICE) < 0 ? part : NOTICE));
    }

    private static String when(X509Certificate certificate, Instant now) {
        Instant end = certificate.getNotAfter().toInstant();
        return (now.isAfter(end) ? " has expired at " : " expires at ") + end.truncatedTo(ChronoUnit.SECONDS);
    }
}
