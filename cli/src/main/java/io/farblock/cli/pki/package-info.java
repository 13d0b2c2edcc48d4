/**
 * A small private authority: it makes the certificates that servers, nodes and administrators show each other, and takes
 * them back. It lives in a folder, and is used while somebody runs {@code farblock pki}.
 */
package io.farblock.cli.pki;
