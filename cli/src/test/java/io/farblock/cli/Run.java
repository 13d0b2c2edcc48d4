package io.farblock.cli;

import java.io.PrintWriter;
import java.io.StringWriter;

/**
 * One run of the command in this process.
 *
 * @param code what the process would have ended with
 */
record Run(int code, String out, String err) {
    static Run of(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Farblock.run(new PrintWriter(out), new PrintWriter(err), arguments);
        return new Run(code, out.toString(), err.toString());
    }
}
