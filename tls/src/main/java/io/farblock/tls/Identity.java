package io.farblock.tls;

import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whose certificate it is: the one URI {@code farblock://ROLE/NAME} among its alternative names. Immutable.
 *
 * @param name 1 to 64 of A-Z a-z 0-9 _ . -
 */
public record Identity(Role role, String name) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,64}");
    private static final Pattern URI = Pattern.compile("farblock://(server|node|admin)/(" + NAME.pattern() + ")");
    // Of RFC 5280's GeneralName.
    private static final int URI_NAME = 6;

    /** Who is at the other end of a plain link. Nobody can be told from anybody else there, so that all may do all. */
    public static final Identity ANYBODY = new Identity(Role.ADMIN, "anybody");

    /** Refuses a name that could not be told from another one. */
    public Identity {
        if (!isName(name)) {
            throw new IllegalArgumentException("a name is 1 to 64 of A-Z a-z 0-9 _ . -");
        }
    }

    /** Whether something can be a name. */
    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    /** What stands in the certificate. */
    public String uri() {
        return "farblock://" + role.word() + "/" + name;
    }

    /** For people. */
    @Override
    public String toString() {
        return role.word() + " " + name;
    }

    /**
     * Whose certificate it is.
     *
     * @throws CertificateException if it names nobody, or more than one
     */
    public static Identity of(X509Certificate certificate) throws CertificateException {
        Identity found = null;
        if (certificate.getSubjectAlternativeNames() != null) {
            for (List<?> name : certificate.getSubjectAlternativeNames()) {
                if (name.get(0).equals(URI_NAME)) {
                    if (found != null) {
                        throw new CertificateException("a certificate that names more than one");
                    }
                    found = parse((String) name.get(1));
                }
            }
        }
        if (found == null) {
            throw new CertificateException("a certificate without a farblock://ROLE/NAME");
        }
        return found;
    }

    private static Identity parse(String uri) throws CertificateException {
        Matcher parts = URI.matcher(uri);
        if (!parts.matches()) {
            throw new CertificateException("a certificate that names something else");
        }
        return new Identity(Role.valueOf(parts.group(1).toUpperCase(Locale.ROOT)), parts.group(2));
    }
}
