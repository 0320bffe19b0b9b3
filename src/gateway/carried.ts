/** What a request only carries along: cut to its form, because what is recorded and sent on is no place for free text. */
import type { TraceBeside } from "../ports.ts";

/** W3C Trace Context, any version. */
const traceparentForm = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}(?:-[!-~]{1,64})?$/;
const tracestateForm = /^[ -~]{1,512}$/;
const requestIdCharactersMax = 256;

interface Carrying {
  readonly traceparent?: string;
  readonly traceBeside?: TraceBeside;
  readonly requestId?: string;
}

export function trimmed<T extends Carrying>(request: T): T {
  const { traceparent, traceBeside, requestId, ...rest } = request;
  return {
    ...rest,
    ...(traceparent !== undefined && traceparentForm.test(traceparent) ? { traceparent } : {}),
    ...(traceBeside === undefined ? {} : { traceBeside: besideTrimmed(traceBeside) }),
    ...(requestId === undefined ? {} : { requestId: requestId.slice(0, requestIdCharactersMax) }),
  } as T;
}

function besideTrimmed({ tracestate, around }: TraceBeside): TraceBeside {
  return {
    ...(tracestate !== undefined && tracestateForm.test(tracestate) ? { tracestate } : {}),
    ...(around !== undefined && traceparentForm.test(around) ? { around } : {}),
  };
}
