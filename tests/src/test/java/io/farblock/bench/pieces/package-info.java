/**
 * What single steps of a request cost, measured with JMH: {@code tests/bench/run pieces} compiles and runs them. The
 * build only sees that they compile; JMH's generated code is made when they run.
 */
package io.farblock.bench.pieces;
