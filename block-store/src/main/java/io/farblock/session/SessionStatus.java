package io.farblock.session;

/**
 * What a client session is doing, for people: a snapshot, made anew with each change and never for a request.
 *
 * @param state what it is doing
 * @param sinceNanos since when it is open, or since when it is not; by the session's clock
 * @param reason why the last connection ended or could not be made; empty when it is open
 * @param failing whether requests fail, because it was not open for longer than they may wait
 */
public record SessionStatus(ClientSession.State state, long sinceNanos, String reason, boolean failing) {}
