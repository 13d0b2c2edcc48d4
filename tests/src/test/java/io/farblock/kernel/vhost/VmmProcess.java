package io.farblock.kernel.vhost;

import io.farblock.kernel.vhost.BlkDriver.Form;
import io.farblock.kernel.vhost.DriverRing.Piece;
import java.io.IOException;
import java.util.List;

/** A VMM that offers requests when it is told to, and then does nothing until it is killed. Argument: the device's node. */
final class VmmProcess {
    /** How many requests it offers, half of them on each of two queues. */
    static final int REQUESTS = 16;

    private VmmProcess() {}

    public static void main(String[] arguments) throws Exception {
        VmMachine machine = VmMachine.running(arguments[0], 2);
        System.out.println("ready");
        awaitLine();
        for (int i = 0; i < REQUESTS; i++) {
            List<Piece> data = List.of(new Piece(VmMachine.HIGH_IOVA + 4096L * i, 4096, false));
            machine.driver(i % 2).write(8L * i, Form.of(i / 2), data);
        }
        // Until killed, or until the test that has started it is gone.
        awaitLine();
        machine.close();
    }

    private static void awaitLine() throws IOException {
        int c = System.in.read();
        while (c >= 0 && c != '\n') {
            c = System.in.read();
        }
    }
}
