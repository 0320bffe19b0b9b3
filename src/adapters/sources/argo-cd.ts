/** Argo CD: an `Application` object, alone or as `app` in the body of a notification. */
import { err, type JsonObject, type JsonValue, ok, type Result } from "../../kernel/index.ts";
import type { NodeId } from "../../model/index.ts";
import { kubernetesNodeId } from "../../model/index.ts";
import { at, listAt, objectAt, textAt, timeAt } from "./members.ts";
import {
  named,
  nameOf,
  type Source,
  type SourceDocument,
  type SourceFault,
  Teller,
  type Told,
  textOf,
} from "./source.ts";

const workloads = ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"];
const commit = /^[0-9a-f]{40}$/;

export const argoCd: Source = {
  name: "argo-cd",
  version: 1,
  reads: ({ value }) => isApplication(value) || isApplication(at(value, "app")),
  tell: (documents): Result<Told, SourceFault> => {
    const teller = new Teller("argo-cd");
    for (const document of documents) {
      const { value, reference } = document;
      const inner = isApplication(value);
      const application = inner ? value : objectAt(value, "app");
      const name = textAt(application, "metadata", "name");
      const path = `${inner ? "" : "app."}metadata.name`;
      if (name === undefined) return err({ reference, path, message: "an application has a name" });
      tellApplication(teller, document, application, name);
    }
    return ok(teller.told);
  },
};

function isApplication(value: JsonValue | undefined): boolean {
  return (
    at(value, "kind") === "Application" &&
    (textAt(value, "apiVersion") ?? "").startsWith("argoproj.io/")
  );
}

function tellApplication(
  teller: Teller,
  { reference, receivedAt }: SourceDocument,
  application: JsonObject,
  name: string,
): void {
  const own = `${textAt(application, "metadata", "namespace") ?? "argocd"}/${name}`;
  const targets = targetsOf(application, name);
  let before: string | undefined;
  const history = listAt(application, "status", "history");
  for (const [index, entry] of history.entries()) {
    const revision = textAt(entry, "revision") ?? listAt(entry, "revisions").join(",");
    const deployedAt = timeAt(entry, "deployedAt");
    if (deployedAt === undefined) {
      teller.note(reference, `status.history[${index}] has no deployedAt; left out`);
      continue;
    }
    const id = textAt(entry, "id") ?? String(index);
    const actor = textAt(entry, "initiatedBy", "username");
    teller.tell(`${reference} ${own} history ${nameOf(id)}`, deployedAt, {
      ...{ type: "change", at: deployedAt, kind: "deploy", targets },
      change: named("deploy", `argo-cd/${own}/${id}`),
      title: textOf(`sync ${own} to ${revision}`),
      ...(actor !== undefined && { actor: nameOf(actor) }),
      ...(before !== undefined && { before: nameOf(before) }),
      after: nameOf(revision),
      ...(commit.test(revision) && { causedBy: [named("commit", revision)] }),
    });
    before = revision;
  }
  tellTrouble(teller, reference, application, { own, targets, receivedAt });
}

/** What the application runs; the application's own name stands for a service. */
function targetsOf(application: JsonObject, name: string): readonly NodeId[] {
  const running = listAt(application, "status", "resources").flatMap((resource) => {
    const kind = textAt(resource, "kind") ?? "";
    const own = textAt(resource, "name");
    if (!workloads.includes(kind) || own === undefined) return [];
    return [kubernetesNodeId(kind, nameOf(textAt(resource, "namespace") ?? ""), nameOf(own))];
  });
  return [named("service", name), ...running];
}

function tellTrouble(
  teller: Teller,
  reference: string,
  application: JsonObject,
  { own, targets, receivedAt }: { own: string; targets: readonly NodeId[]; receivedAt: number },
): void {
  const node = targets[0];
  if (node === undefined) return;
  const health = textAt(application, "status", "health", "status");
  const seenAt =
    timeAt(application, "status", "health", "lastTransitionTime") ??
    timeAt(application, "status", "reconciledAt") ??
    receivedAt;
  if (health !== undefined)
    teller.tell(`${reference} ${own} health`, Math.max(seenAt, receivedAt), {
      ...{ type: "condition", at: seenAt, node, name: `ArgoCDHealth${nameOf(health)}` },
      status: health === "Degraded" || health === "Missing" ? "true" : "false",
      message: textOf(textAt(application, "status", "health", "message") ?? ""),
    });
  const phase = textAt(application, "status", "operationState", "phase");
  const finishedAt = timeAt(application, "status", "operationState", "finishedAt");
  if ((phase === "Failed" || phase === "Error") && finishedAt !== undefined)
    teller.tell(`${reference} ${own} operation`, finishedAt, {
      ...{ type: "condition", at: finishedAt, node, name: "ArgoCDSyncFailed", status: "true" },
      message: textOf(textAt(application, "status", "operationState", "message") ?? ""),
    });
}
