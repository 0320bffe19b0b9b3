/** Where people answer: the admin API and the approval page, on the state that the gateways share. */
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import { compileSchema } from "../adapters/json-schema/index.ts";
import { oidcSignIn } from "../adapters/oidc/index.ts";
import { type Config, readTools, readWorld } from "../cli/index.ts";
import {
  AdminApi,
  ApprovalDesk,
  ApprovalPage,
  type CompiledCheck,
  cookieJar,
  Sessions,
  type WebRequest,
  type WebResponse,
} from "../control/index.ts";
import { problemResponse, type Route } from "../gateway/index.ts";
import { type JsonObject, ok, type Result } from "../kernel/index.ts";
import type { HttpTransport, Log, SignIn } from "../ports.ts";
import type { SharedState } from "../state/index.ts";
import { ApproverTokens, approversOf } from "./approvers.ts";

export interface AnsweringPorts {
  readonly state: SharedState;
  readonly http: HttpTransport;
  readonly log: Log;
}

/** For people and their scripts; a program that asks more often has gone wrong. */
const requestsPerMinute = 300;

/** Routes of the control process. The error is a sentence for the operator. */
export async function answeringRoutes(
  config: Config,
  { state, http, log }: AnsweringPorts,
): Promise<Result<readonly Route[], string>> {
  const { approvals } = config;
  const world = { clock: systemClock, entropy: systemEntropy };
  const approvers = approversOf(config);
  const signIn = signInOf(config, http, log);
  const ports = { clock: systemClock, http, log };
  const tokens = await ApproverTokens.open(config, approvers, signIn, ports);
  if (!tokens.ok) return tokens;
  const desk = new ApprovalDesk({ ...world, state });
  const api = new AdminApi({
    ...{ ...world, state, desk, log, requestsPerMinute, compile: compiled },
    questions: readTools(readWorld({ state, config, io: toLog(log), agent: undefined })),
    prove: (token) => tokens.value.prove(token),
    mayStop: ({ groups }) => groups.some((group) => approvals.kill_groups.includes(group)),
  });
  const sessionSeconds = approvals.session_minutes * 60;
  const page =
    signIn === undefined
      ? undefined
      : new ApprovalPage({
          ...{ ...world, desk, approvers, signIn, sessionSeconds },
          sessions: new Sessions(systemClock, systemEntropy, sessionSeconds * 1_000),
          cookies: cookieJar(approvals.url),
        });
  const asked = (request: WebRequest): Promise<WebResponse> => api.answer(request);
  return ok([
    { prefix: "/v1", face: asked },
    { prefix: "/openapi.json", face: asked },
    {
      prefix: "/approvals",
      face: async (request) => (page === undefined ? noSignIn : await page.answer(request)),
    },
  ]);
}

/** What a command would say to its terminal. */
function toLog(log: Log): { out(line: string): void; err(line: string): void } {
  return {
    out: (line) => log.write("info", "model", { line }),
    err: (line) => log.write("warn", "model", { line }),
  };
}

const noSignIn = problemResponse(
  404,
  "No approval page",
  "People sign in by OpenID Connect: configure approvals.oidc in holdfast.yaml. The admin API and `holdfast approvals` work without.",
);

function signInOf({ approvals }: Config, http: HttpTransport, log: Log): SignIn | undefined {
  const { oidc, url } = approvals;
  if (oidc === undefined) return undefined;
  const { client_secret: secret } = oidc;
  const client = {
    ...{ issuer: oidc.issuer, clientId: oidc.client_id, scopes: oidc.scopes },
    ...(secret === undefined ? {} : { clientSecret: () => secret.reveal() }),
    redirectUri: `${url}/approvals/signed-in`,
  };
  return oidcSignIn(client, http, log);
}

function compiled(schema: JsonObject): CompiledCheck {
  const check = compileSchema(schema);
  return (value) =>
    check(value).map(({ path, message }) =>
      path.length === 0 ? message : `${path.join(".")}: ${message}`,
    );
}
