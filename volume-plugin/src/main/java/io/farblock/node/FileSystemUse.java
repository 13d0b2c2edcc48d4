package io.farblock.node;

/**
 * How full a file system is.
 *
 * @param availableBytes what those may still write who are not root
 * @param inodes 0 where the file system counts none
 */
public record FileSystemUse(
        long sizeBytes, long usedBytes, long availableBytes, long inodes, long usedInodes, long availableInodes) {}
