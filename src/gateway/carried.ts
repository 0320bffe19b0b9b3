/** What a request only carries along: cut to its form, because what is recorded and sent on is no place for free text. */

/** W3C Trace Context, any version. */
const traceparentForm = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}(?:-[!-~]{1,64})?$/;
const requestIdCharactersMax = 256;

interface Carrying {
  readonly traceparent?: string;
  readonly requestId?: string;
}

export function trimmed<T extends Carrying>(request: T): T {
  const { traceparent, requestId, ...rest } = request;
  return {
    ...rest,
    ...(traceparent !== undefined && traceparentForm.test(traceparent) ? { traceparent } : {}),
    ...(requestId === undefined ? {} : { requestId: requestId.slice(0, requestIdCharactersMax) }),
  } as T;
}
