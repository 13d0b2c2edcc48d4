/**
 * The CSI driver: the calls of the Container Storage Interface 1.12, answered by a storage server and a node daemon.
 *
 * <p>{@link CsiServer} listens, {@link CsiIdentity}, {@link CsiController} and {@link CsiNode} take the calls and refuse
 * what makes no sense, and the classes behind them do the work. The driver keeps nothing: what was asked for is noted as
 * labels of the volumes on the server, what is attached the daemon knows, what is mounted the kernel. So it can be killed
 * at any moment, and a call that is made again goes on where the last one ended. Calls are answered on gRPC's threads,
 * each for as long as its work takes; a second one for the same volume is refused with ABORTED meanwhile.
 */
package io.farblock.csi;
