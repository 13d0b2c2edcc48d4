package io.farblock.cli.pki;

import java.io.IOException;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.util.io.pem.PemGenerationException;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemObjectGenerator;

/** Keys, certificates and lists as files, each replaced as a whole: a process may be reading the old one. */
final class Pem {
    private Pem() {}

    /** Reads what a file begins with. */
    static <T> T read(Path file, Class<T> type) throws IOException {
        try (Reader text = Files.newBufferedReader(file, StandardCharsets.US_ASCII);
                PEMParser parser = new PEMParser(text)) {
            return cast(file, parser.readObject(), type);
        }
    }

    /** Reads all that is in a file. */
    static <T> List<T> readAll(Path file, Class<T> type) throws IOException {
        List<T> all = new ArrayList<>();
        try (Reader text = Files.newBufferedReader(file, StandardCharsets.US_ASCII);
                PEMParser parser = new PEMParser(text)) {
            for (Object found = parser.readObject(); found != null; found = parser.readObject()) {
                all.add(cast(file, found, type));
            }
        }
        return all;
    }

    private static <T> T cast(Path file, Object found, Class<T> type) throws IOException {
        if (!type.isInstance(found)) {
            throw new IOException(file + " is not what it should be");
        }
        return type.cast(found);
    }

    /** For everybody who may look into the folder. */
    static void write(Path file, Object... contents) throws IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            for (Object content : contents) {
                writer.writeObject(content);
            }
        }
        replace(file, text.toString(), "rw-r--r--");
    }

    /** A key, for its owner only, in the form that every TLS library reads. */
    static void writeKey(Path file, byte[] pkcs8) throws IOException {
        StringWriter text = new StringWriter();
        try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
            writer.writeObject(new PemObjectGenerator() {
                @Override
                public PemObject generate() throws PemGenerationException {
                    return new PemObject("PRIVATE KEY", pkcs8);
                }
            });
        }
        replace(file, text.toString(), "rw-------");
    }

    private static void replace(Path file, String text, String mode) throws IOException {
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        // With its mode from the start: a key must not be there for others even for a moment.
        try (FileChannel channel = FileChannel.open(
                fresh,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)))) {
            channel.write(StandardCharsets.US_ASCII.encode(text));
            channel.force(true);
        }
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
