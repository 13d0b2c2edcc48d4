package io.farblock.dashboard;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * A file of the page, as it was built.
 *
 * @param content for ever; answers have duplicates of it
 * @param tag changes with the content, for browsers that have it already
 */
record PageFile(String name, String type, ByteBuf content, String tag) {
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "svg", "image/svg+xml");

    /** All of them, by their paths. */
    static final Map<String, PageFile> ALL = Stream.of(
                    "index.html",
                    "page.css",
                    "page.js",
                    "parts.js",
                    "details.js",
                    "tree.js",
                    "chart.js",
                    "rates.js",
                    "fields.js",
                    "words.js",
                    "icon.svg")
            .map(PageFile::read)
            .collect(Collectors.toUnmodifiableMap(PageFile::path, file -> file));

    private String path() {
        return name.equals("index.html") ? "/" : "/" + name;
    }

    private static PageFile read(String name) {
        try (InputStream file = PageFile.class.getResourceAsStream(name)) {
            if (file == null) {
                throw new IllegalStateException("the page was built without " + name);
            }
            byte[] content = file.readAllBytes();
            ByteBuf shared =
                    Unpooled.unreleasableBuffer(Unpooled.wrappedBuffer(content).asReadOnly());
            return new PageFile(name, TYPES.get(name.substring(name.indexOf('.') + 1)), shared, tag(content));
        } catch (IOException e) {
            throw new UncheckedIOException("the page's " + name + " cannot be read", e);
        }
    }

    private static String tag(byte[] content) {
        CRC32C sum = new CRC32C();
        sum.update(content);
        return '"' + HexFormat.of().toHexDigits((int) sum.getValue()) + "-" + content.length + '"';
    }
}
