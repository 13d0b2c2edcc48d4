package io.farblock.linux;

import com.sun.jna.Native;
import java.io.IOException;

/**
 * What volumes are encrypted with of OpenSSL's libcrypto, by JNA direct mapping; {@code <openssl/evp.h>}. Addresses are
 * {@code long}, flags and lengths {@code int}; functions return 1 for success.
 *
 * <p>It is loaded at the first use: where there is none, everything else works.
 */
@SuppressWarnings("MemberName") // The names are the library's.
public final class LibCrypto {
    /** Of OpenSSL 3, whose interface stays the same; libcrypto.so without a number is there for compilers only. */
    private static final String LIBRARY = "libcrypto.so.3";

    static {
        Native.register(LIBRARY);
    }

    private LibCrypto() {}

    /**
     * Loads the library.
     *
     * @throws IOException if there is none, with what to do
     */
    public static void load() throws IOException {
        try {
            EVP_CIPHER_CTX_free(0);
        } catch (LinkageError e) {
            throw new IOException(LIBRARY + " is needed for encrypted volumes: apt-get install libssl3", e);
        }
    }

    /** The address of the cipher's description. */
    public static native long EVP_aes_256_xts();

    /** The address of a new context, 0 if there is no memory. */
    public static native long EVP_CIPHER_CTX_new();

    /** Frees a context, with its key; 0 is nothing. */
    public static native void EVP_CIPHER_CTX_free(long context);

    /** Sets what is not 0: cipher, key and initial value. */
    public static native int EVP_CipherInit_ex(
            long context, long cipher, long engine, long key, long initialValue, int encrypt);

    /** Works from {@code input} to {@code output}, which may be the same, and tells how much at an int's address. */
    public static native int EVP_CipherUpdate(
            long context, long output, long outputLength, long input, int lengthBytes);
}
