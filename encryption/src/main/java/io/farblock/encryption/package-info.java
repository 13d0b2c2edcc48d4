/**
 * Encryption at rest: blocks are encrypted before they leave the node and decrypted when they are back, with a key that
 * the server never has.
 */
package io.farblock.encryption;
