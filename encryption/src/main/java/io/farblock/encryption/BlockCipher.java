package io.farblock.encryption;

import io.farblock.linux.LibCrypto;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.Arrays;

/**
 * AES-256-XTS, as IEEE 1619 has it, over blocks of a volume: the data unit is a block, its number is the block's index in
 * the volume. In one direction, in place, in memory that cannot go away. Not safe for more than one thread at a time.
 */
final class BlockCipher implements AutoCloseable {
    private static final int TWEAK_BYTES = 16;
    private static final int UNCHANGED = -1;

    private final int blockSizeBytes;
    // The tweak, and where the library says how much it has done.
    private final ByteBuf scratch = Unpooled.directBuffer(TWEAK_BYTES + Integer.BYTES);
    private long context;

    private BlockCipher(int blockSizeBytes) {
        this.blockSizeBytes = blockSizeBytes;
        scratch.setZero(0, TWEAK_BYTES + Integer.BYTES);
    }

    /**
     * Makes one.
     *
     * @throws IOException if the library is missing or refuses the key
     */
    static BlockCipher of(VolumeKey key, boolean encrypts, int blockSizeBytes) throws IOException {
        LibCrypto.load();
        BlockCipher cipher = new BlockCipher(blockSizeBytes);
        byte[] bytes = key.bytes();
        ByteBuf copy = Unpooled.directBuffer(bytes.length).writeBytes(bytes);
        try {
            cipher.context = LibCrypto.EVP_CIPHER_CTX_new();
            if (cipher.context == 0) {
                throw new IOException("libcrypto has no memory");
            }
            int done = LibCrypto.EVP_CipherInit_ex(
                    cipher.context, LibCrypto.EVP_aes_256_xts(), 0, copy.memoryAddress(), 0, encrypts ? 1 : 0);
            if (done != 1) {
                cipher.close();
                throw new IOException("libcrypto takes no key for " + VolumeKey.CIPHER);
            }
            return cipher;
        } finally {
            Arrays.fill(bytes, (byte) 0);
            copy.setZero(0, bytes.length).release();
        }
    }

    /** Works on whole blocks at an address. */
    void apply(long address, long firstBlock, int lengthBytes) {
        for (int at = 0; at < lengthBytes; at += blockSizeBytes) {
            applyToBlock(address + at, firstBlock + at / blockSizeBytes);
        }
    }

    /** Works on one block at an address. */
    void applyToBlock(long address, long block) {
        scratch.setLongLE(0, block);
        long tweak = scratch.memoryAddress();
        if (LibCrypto.EVP_CipherInit_ex(context, 0, 0, 0, tweak, UNCHANGED) != 1
                || LibCrypto.EVP_CipherUpdate(context, address, tweak + TWEAK_BYTES, address, blockSizeBytes) != 1) {
            throw new IllegalStateException("libcrypto failed in the middle of a volume");
        }
    }

    @Override
    public void close() {
        if (scratch.refCnt() > 0) {
            LibCrypto.EVP_CIPHER_CTX_free(context);
            scratch.release();
        }
    }
}
