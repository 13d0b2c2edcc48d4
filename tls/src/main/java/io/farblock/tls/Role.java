package io.farblock.tls;

import java.util.Locale;

/** What the owner of a certificate is. */
public enum Role {
    /** A storage server; the only one that listens. */
    SERVER,
    /** A machine with devices: it may use the volumes that are its own. */
    NODE,
    /** May do everything. */
    ADMIN;

    /** As it stands in certificates and on command lines. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
