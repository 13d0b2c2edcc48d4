package io.farblock.node;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The programs that are installed here. From any thread. */
public final class SystemPrograms implements Programs {
    private static final int OUTPUT_LIMIT_BYTES = 16 << 10;

    @Override
    public Outcome run(List<String> command) throws NodeException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        // The output is looked at, so it has to be in the language that the source expects.
        builder.environment().put("LC_ALL", "C");
        try {
            Process process = builder.start();
            process.getOutputStream().close();
            String output = read(process.getInputStream());
            return new Outcome(process.waitFor(), output);
        } catch (IOException e) {
            throw new NodeException(
                    NodeException.Kind.REFUSED, command.get(0) + " cannot be run here: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NodeException(NodeException.Kind.UNREACHABLE, command.get(0) + " goes on without us", e);
        }
    }

    private static String read(InputStream stream) throws IOException {
        byte[] begin = stream.readNBytes(OUTPUT_LIMIT_BYTES);
        // Until its end, or the program would wait for somebody to read.
        stream.transferTo(OutputStream.nullOutputStream());
        return new String(begin, StandardCharsets.UTF_8);
    }
}
