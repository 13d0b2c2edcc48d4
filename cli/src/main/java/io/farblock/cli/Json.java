package io.farblock.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;

/**
 * Messages as JSON for scripts: the field names of the .proto files, enumerations by name, 64-bit numbers as strings
 * (the JSON mapping of Protobuf), empty lists written out.
 */
final class Json {
    private static final JsonFormat.Printer PRINTER =
            JsonFormat.printer().preservingProtoFieldNames().alwaysPrintFieldsWithNoPresence();

    private Json() {}

    static String text(MessageOrBuilder message) {
        try {
            return PRINTER.print(message) + "\n";
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a message of this project that has no JSON form", e);
        }
    }
}
