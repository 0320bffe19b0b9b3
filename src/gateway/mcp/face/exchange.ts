/** Everything one HTTP request of a client needs on its way to one upstream. */
import type { Identity } from "../../../identity/index.ts";
import type { Clock, Log } from "../../../ports.ts";
import type { Spine } from "../../call.ts";
import type { FrontRequest } from "../../http-front.ts";
import type { Era } from "../wire/eras.ts";
import type { McpLimits, McpUpstream } from "../wire/upstream.ts";
import type { HoldRules } from "./approval-hold.ts";
import type { OpenQuestions } from "./open-questions.ts";
import type { OpenRequests, Rewrite } from "./relay.ts";

export interface Exchange {
  readonly request: FrontRequest;
  readonly identity: Identity;
  readonly era: Era;
  readonly upstream: McpUpstream;
  /** The client's headers, without what must not cross. */
  readonly headers: Readonly<Record<string, string>>;
  readonly open: OpenRequests;
  readonly questions: OpenQuestions;
  /** For a message that answers no open request, for instance one that is sent again on a resumed stream. */
  readonly unclaimed: Rewrite;
  readonly spine: Spine;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: McpLimits;
  readonly writesParamHeaders: boolean;
  /** How calls wait for people; absent where they are answered at once. */
  readonly approvalHold?: HoldRules;
}
