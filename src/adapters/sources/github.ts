/** GitHub webhooks: `push`, `deployment` and `deployment_status`, as their payloads are documented. */
import type { JsonValue } from "../../kernel/index.ts";
import type { DiffPart, NodeId } from "../../model/index.ts";
import { at, listAt, objectAt, textAt, textsAt, timeAt } from "./members.ts";
import {
  named,
  nameOf,
  type Source,
  type SourceDocument,
  type SourceFault,
  type Teller,
  tellEach,
  textOf,
} from "./source.ts";

const filesMax = 300;
const noCommit = /^0+$/;

export const github: Source = {
  name: "github",
  version: 1,
  reads: ({ value }) =>
    at(value, "repository", "full_name") !== undefined &&
    (isPush(value) || at(value, "deployment") !== undefined),
  tell: tellEach("github", (teller, document) =>
    isPush(document.value) ? tellPush(teller, document) : tellDeployment(teller, document),
  ),
};

type Fault = Pick<SourceFault, "path" | "message"> | undefined;

function isPush(value: JsonValue): boolean {
  return at(value, "ref") !== undefined && at(value, "commits") !== undefined;
}

function repositoryOf(value: JsonValue): { full: string; service: NodeId } {
  const full = textAt(value, "repository", "full_name") ?? "";
  return { full, service: named("service", full.split("/").at(-1) ?? full) };
}

function tellPush(teller: Teller, { value, reference, receivedAt }: SourceDocument): Fault {
  const { full, service } = repositoryOf(value);
  const ref = textAt(value, "ref") ?? "";
  const commits = listAt(value, "commits");
  for (const [index, commit] of commits.entries()) {
    const sha = textAt(commit, "id");
    const when = timeAt(commit, "timestamp");
    if (sha === undefined || when === undefined) {
      const path = `commits[${index}].${sha === undefined ? "id" : "timestamp"}`;
      return { path, message: "a commit has an id and a timestamp" };
    }
    const message = textOf(textAt(commit, "message") ?? "");
    const actor = textAt(commit, "author", "username") ?? textAt(commit, "author", "name");
    const pushedAt =
      timeAt(value, "repository", "pushed_at") ?? timeAt(value, "head_commit", "timestamp");
    teller.tell(
      `${reference} ${full}@${sha.slice(0, 12)}`,
      Math.max(when, pushedAt ?? receivedAt),
      {
        ...{ type: "change", at: when, change: named("commit", sha), kind: "commit" },
        targets: [service],
        title: message.split("\n", 1)[0] ?? "",
        ...(actor !== undefined && { actor: nameOf(actor) }),
        after: nameOf(sha),
        diff: filesOf(commit),
      },
    );
  }
  if (commits.length === 0)
    teller.note(reference, `${nameOf(ref)} of ${nameOf(full)}: no commits, nothing to tell`);
  return undefined;
}

/** A push names its files and not what is in them. */
function filesOf(commit: JsonValue): readonly DiffPart[] {
  const files = ["added", "modified", "removed"].flatMap((how) => textsAt(commit, how));
  return [...new Set(files)]
    .sort()
    .slice(0, filesMax)
    .map((path) => ({ path: nameOf(path), removed: [], added: [] }));
}

function tellDeployment(teller: Teller, document: SourceDocument): Fault {
  const { value, reference, receivedAt } = document;
  const { full, service } = repositoryOf(value);
  const deployment = objectAt(value, "deployment");
  const id = textAt(deployment, "id");
  const createdAt = timeAt(deployment, "created_at");
  const sha = textAt(deployment, "sha");
  if (id === undefined) return { path: "deployment.id", message: "a deployment has an id" };
  if (createdAt === undefined)
    return { path: "deployment.created_at", message: "a deployment has a time" };
  const change = named("deploy", `github/${full}/${id}`);
  const environment = textAt(deployment, "environment") ?? "production";
  const actor = textAt(deployment, "creator", "login");
  const isCommit = sha !== undefined && !noCommit.test(sha);
  teller.tell(`${reference} ${full} deployment ${id}`, createdAt, {
    ...{ type: "change", at: createdAt, change, kind: "deploy", targets: [service] },
    title: textOf(
      `${textAt(deployment, "task") ?? "deploy"} ${textAt(deployment, "ref") ?? ""} to ${environment}`,
    ),
    ...(actor !== undefined && { actor: nameOf(actor) }),
    ...(isCommit && { after: nameOf(sha), causedBy: [named("commit", sha)] }),
  });
  const state = textAt(value, "deployment_status", "state");
  if (state === undefined) return undefined;
  const statusAt =
    timeAt(value, "deployment_status", "updated_at") ??
    timeAt(value, "deployment_status", "created_at") ??
    receivedAt;
  teller.tell(`${reference} ${full} deployment ${id} ${nameOf(state)}`, statusAt, {
    ...{ type: "node", at: statusAt, node: change, aspect: "status" },
    value: { state: nameOf(state), environment: nameOf(environment) },
  });
  return undefined;
}
