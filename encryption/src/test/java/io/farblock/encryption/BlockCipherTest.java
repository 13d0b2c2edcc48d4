package io.farblock.encryption;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The cipher against the standard's own example, and against the standard's text, written out plainly. */
class BlockCipherTest {
    private static final HexFormat HEX = HexFormat.of();

    static VolumeKey key(byte[] bytes) {
        try {
            return VolumeKey.of("test", bytes);
        } catch (KeyException e) {
            throw new AssertionError(e);
        }
    }

    static VolumeKey randomKey(long seed) {
        byte[] bytes = new byte[VolumeKey.LENGTH_BYTES];
        new Random(seed).nextBytes(bytes);
        return key(bytes);
    }

    private static byte[] apply(VolumeKey key, boolean encrypts, int blockSizeBytes, long firstBlock, byte[] bytes)
            throws Exception {
        ByteBuf memory = Unpooled.directBuffer(bytes.length).writeBytes(bytes);
        try (BlockCipher cipher = BlockCipher.of(key, encrypts, blockSizeBytes)) {
            cipher.apply(memory.memoryAddress(), firstBlock, bytes.length);
            byte[] done = new byte[bytes.length];
            memory.getBytes(0, done);
            return done;
        } finally {
            memory.release();
        }
    }

    /** IEEE 1619-2007, annex B, vector 10: AES-256, data unit 255 of 512 bytes. */
    @Test
    void doesTheExampleOfTheStandard() throws Exception {
        VolumeKey key = key(HEX.parseHex("2718281828459045235360287471352662497757247093699959574966967627"
                + "3141592653589793238462643383279502884197169399375105820974944592"));
        byte[] text = new byte[512];
        for (int i = 0; i < text.length; i++) {
            text[i] = (byte) i;
        }

        byte[] encrypted = apply(key, true, 512, 0xFF, text);

        assertThat(HEX.formatHex(encrypted, 0, 32))
                .isEqualTo("1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b");
        assertThat(apply(key, false, 512, 0xFF, encrypted)).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(ints = {512, 4096})
    void doesWhatTheStandardSays(int blockSizeBytes) throws Exception {
        Random random = new Random(blockSizeBytes);
        for (long firstBlock : new long[] {0, 7, 1L << 33, Long.MAX_VALUE / 4096}) {
            VolumeKey key = randomKey(firstBlock);
            byte[] text = new byte[3 * blockSizeBytes];
            random.nextBytes(text);

            byte[] expected = new byte[0];
            for (int i = 0; i < 3; i++) {
                byte[] block = Arrays.copyOfRange(text, i * blockSizeBytes, (i + 1) * blockSizeBytes);
                expected = concatenated(expected, plainly(key, firstBlock + i, block));
            }

            assertThat(apply(key, true, blockSizeBytes, firstBlock, text)).isEqualTo(expected);
            assertThat(apply(key, false, blockSizeBytes, firstBlock, expected)).isEqualTo(text);
        }
    }

    private static byte[] concatenated(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    /** Of each 16 bytes: E1(text ^ t) ^ t, where t begins as E2(number) and is multiplied by x each time. */
    private static byte[] plainly(VolumeKey key, long block, byte[] text) throws GeneralSecurityException {
        Cipher first = aes(Arrays.copyOfRange(key.bytes(), 0, 32));
        Cipher second = aes(Arrays.copyOfRange(key.bytes(), 32, 64));
        byte[] number = ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0, block)
                .array();
        byte[] tweak = second.doFinal(number);
        byte[] done = new byte[text.length];
        for (int at = 0; at < text.length; at += 16) {
            byte[] piece = first.doFinal(xor(Arrays.copyOfRange(text, at, at + 16), tweak));
            System.arraycopy(xor(piece, tweak), 0, done, at, 16);
            tweak = timesX(tweak);
        }
        return done;
    }

    private static Cipher aes(byte[] key) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/ECB/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"));
        return cipher;
    }

    private static byte[] xor(byte[] one, byte[] other) {
        byte[] result = new byte[one.length];
        for (int i = 0; i < one.length; i++) {
            result[i] = (byte) (one[i] ^ other[i]);
        }
        return result;
    }

    private static byte[] timesX(byte[] tweak) {
        byte[] next = new byte[16];
        int carry = 0;
        for (int i = 0; i < 16; i++) {
            next[i] = (byte) (tweak[i] << 1 | carry);
            carry = (tweak[i] & 0x80) >> 7;
        }
        next[0] ^= (byte) (carry * 0x87);
        return next;
    }
}
