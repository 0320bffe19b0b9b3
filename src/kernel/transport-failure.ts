/** What became of a message that was to be sent, where it is not known to have arrived. */

/** `not_sent`: the upstream saw nothing. `unknown`: it may have acted. `withheld`: the gateway itself did not send. */
export interface TransportError {
  readonly kind: "not_sent" | "unknown";
  readonly reason:
    | "refused"
    | "timeout"
    | "aborted"
    | "broken"
    | "blocked_address"
    | "too_large"
    | "withheld";
  readonly detail: string;
}

/** Thrown while a body is read; what was sent may have been acted on. */
export class TransportFailure extends Error {
  override readonly name = "TransportFailure";
  readonly error: TransportError;
  constructor(error: TransportError) {
    super(`${error.kind}: ${error.reason}: ${error.detail}`);
    this.error = error;
  }
}
