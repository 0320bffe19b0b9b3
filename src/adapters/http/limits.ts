/** What the front server accepts before a face sees anything. */
export interface FrontLimits {
  /** Sockets. One more closes the one that has waited longest for its client. */
  readonly connectionsMax: number;
  readonly headersMax: number;
  readonly headerBytesMax: number;
  readonly bodyBytesMax: number;
  /** Bodies of all requests being read or answered at one time, together. */
  readonly bodiesBytesMax: number;
  /** Until all headers have come. */
  readonly headersTimeoutMs: number;
  /** Until the whole request has come. Answers may take as long as they need. */
  readonly requestTimeoutMs: number;
  /** How long a client may take nothing of an answer that waits for it. Its call's outcome must not wait longer. */
  readonly stalledTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Whole requests being answered at one time; streams count. */
  readonly concurrentRequestsMax: number;
}

export const frontLimitsDefault: FrontLimits = {
  connectionsMax: 8_000,
  headersMax: 100,
  headerBytesMax: 32 * 1024,
  bodyBytesMax: 4 * 1024 * 1024,
  bodiesBytesMax: 512 * 1024 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  stalledTimeoutMs: 60_000,
  keepAliveTimeoutMs: 65_000,
  concurrentRequestsMax: 1_000,
};
