/** What the front server accepts before a face sees anything. */
export interface FrontLimits {
  readonly headersMax: number;
  readonly headerBytesMax: number;
  readonly bodyBytesMax: number;
  /** Until all headers have come. */
  readonly headersTimeoutMs: number;
  /** Until the whole request has come. Answers may take as long as they need. */
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** Requests being answered at one time; streams count. */
  readonly concurrentRequestsMax: number;
}

export const frontLimitsDefault: FrontLimits = {
  headersMax: 100,
  headerBytesMax: 32 * 1024,
  bodyBytesMax: 4 * 1024 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  concurrentRequestsMax: 1_000,
};
