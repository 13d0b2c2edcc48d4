package io.farblock.cli;

import io.farblock.api.admin.CheckBlocksRequest;
import io.farblock.api.admin.CheckBlocksResponse;
import io.farblock.api.admin.DamagedBlock;
import io.farblock.cli.transfer.Progress;

/** Has a server compare all blocks of a volume with their checksums, part by part. */
final class BlockCheck {
    private final AdminClient client;
    private final CheckBlocksResponse.Builder all = CheckBlocksResponse.newBuilder();

    BlockCheck(AdminClient client) {
        this.client = client;
    }

    /** What was found, of all parts together. */
    CheckBlocksResponse run(String name) {
        CheckBlocksResponse part = next(name, CheckBlocksResponse.getDefaultInstance());
        Progress progress = new Progress(part.getTotalBytes(), Size::text);
        long doneBytes = 0;
        add(part);
        while (!part.getNextLayer().isEmpty()) {
            progress.accept(Math.max(0, part.getDoneBytes() - doneBytes));
            doneBytes = part.getDoneBytes();
            part = next(name, part);
            add(part);
        }
        progress.accept(Math.max(0, part.getDoneBytes() - doneBytes));
        progress.end();
        return all.setDoneBytes(part.getDoneBytes())
                .setTotalBytes(part.getTotalBytes())
                .build();
    }

    private CheckBlocksResponse next(String name, CheckBlocksResponse last) {
        CheckBlocksRequest request = CheckBlocksRequest.newBuilder()
                .setName(name)
                .setLayer(last.getNextLayer())
                .setFromBytes(last.getNextBytes())
                .build();
        return client.callAtLength(stub -> stub.checkBlocks(request));
    }

    private void add(CheckBlocksResponse part) {
        all.setRightBytes(all.getRightBytes() + part.getRightBytes())
                .setNewBytes(all.getNewBytes() + part.getNewBytes())
                .addAllDamaged(part.getDamagedList())
                .addAllFaults(part.getFaultsList());
    }

    /** For people. */
    static String inWords(String name, CheckBlocksResponse found) {
        StringBuilder text = new StringBuilder();
        for (String fault : found.getFaultsList()) {
            text.append("wrong: ").append(fault).append('\n');
        }
        for (DamagedBlock block : found.getDamagedList()) {
            text.append("damaged: 4096 bytes of ")
                    .append(name)
                    .append(" at ")
                    .append(block.getOffsetBytes())
                    .append(", in layer ")
                    .append(block.getLayer())
                    .append('\n');
        }
        text.append(Size.text(found.getRightBytes())).append(" are what was written");
        if (found.getNewBytes() > 0) {
            text.append(", ").append(Size.text(found.getNewBytes())).append(" had no checksum and have one now");
        }
        text.append(", ").append(found.getDamagedCount()).append(" blocks are damaged");
        if (found.getFaultsCount() > 0) {
            text.append(", ").append(found.getFaultsCount()).append(" maps or references are wrong");
        }
        return text.append('\n').toString();
    }

    /** Whether everything is as it should be. */
    static boolean isGood(CheckBlocksResponse found) {
        return found.getDamagedCount() == 0 && found.getFaultsCount() == 0;
    }
}
