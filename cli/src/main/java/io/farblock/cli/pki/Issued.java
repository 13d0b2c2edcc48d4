package io.farblock.cli.pki;

import io.farblock.tls.Identity;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.bouncycastle.cert.X509CertificateHolder;

/**
 * Every certificate that an authority has made, a file for each identity: one that was renewed is good until it expires, and
 * whoever has stolen it does not care that there is a newer one.
 */
final class Issued {
    private final Path folder;

    Issued(Path folder) {
        this.folder = folder;
    }

    /** Notes a certificate, which has to be before anybody gets it. */
    void add(Identity identity, X509CertificateHolder made) throws IOException {
        List<X509CertificateHolder> all = new ArrayList<>(of(identity));
        all.add(made);
        Files.createDirectories(folder);
        Pem.write(file(identity), all.toArray());
    }

    /** The serial numbers of all that an identity was given, oldest first. */
    Set<BigInteger> serials(Identity identity) throws IOException {
        Set<BigInteger> serials = new LinkedHashSet<>();
        of(identity).forEach(made -> serials.add(made.getSerialNumber()));
        return serials;
    }

    private List<X509CertificateHolder> of(Identity identity) throws IOException {
        Path file = file(identity);
        return Files.exists(file) ? Pem.readAll(file, X509CertificateHolder.class) : List.of();
    }

    private Path file(Identity identity) {
        return folder.resolve(identity.role().word() + "-" + identity.name() + ".pem");
    }
}
