/**
 * How links between machines are secured: plain where nobody else can listen, and otherwise by TLS 1.3 with certificates
 * of both ends. It knows whose certificate is whose, and nothing of what the links carry.
 */
package io.farblock.tls;
