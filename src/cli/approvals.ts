/**
 * `holdfast approvals`: what waits for people, and their answers, from a shell. It needs the store and nothing else, so it
 * works when the page, the chat and the control plane do not. Who answers is the user of this machine: an approver must
 * name it in `cli_users`. Exit codes: 0 done; 1 refused, and nothing has changed; 2 wrong usage, or the store cannot be
 * reached.
 */
import { hostname, userInfo } from "node:os";
import type { Command } from "commander";
import { systemClock, systemEntropy } from "../adapters/clock/index.ts";
import type { Approval, Approver } from "../approvals/index.ts";
import { ApprovalDesk, type DeskRefusal } from "../control/index.ts";
import { err, ok, type Result } from "../kernel/index.ts";
import { approvalLines, approvalRows } from "./approval-text.ts";
import { approverOf } from "./config-approvals.ts";
import type { Config } from "./config-types.ts";
import { type StateCommandParts, withState } from "./switches.ts";
import { tableLines } from "./table.ts";

interface JsonOption {
  readonly json?: boolean;
}

interface ListOptions extends JsonOption {
  readonly all?: boolean;
}

interface AnswerOptions extends JsonOption {
  readonly reason: string;
}

interface Desk {
  readonly desk: ApprovalDesk;
  readonly config: Config;
}

const listMax = 500;
const channel = "cli";

/** Adds `approvals list | show | approve | decline | revoke`. `withStore` adds the options that say where the store is. */
export function registerApprovalCommands(
  program: Command,
  withStore: (command: Command) => Command,
  parts: StateCommandParts,
): void {
  const at = (command: Command, work: (desk: Desk) => Promise<number>): Promise<void> =>
    withState(parts, command, (state, config) => {
      const desk = new ApprovalDesk({ state, clock: systemClock, entropy: systemEntropy });
      return work({ desk, config });
    });
  const approvals = program
    .command("approvals")
    .description("what waits for people, and their answers");
  withStore(approvals.command("list"))
    .description("questions that wait and grants not yet used, the oldest first")
    .option("--all", "also those that have ended")
    .option("--json", "print JSON, one approval on a line")
    .action((_: unknown, command: Command) =>
      at(command, (desk) => list(desk, command.optsWithGlobals(), parts)),
    );
  withStore(approvals.command("show"))
    .description("one approval with everything that is known of it")
    .argument("<id>")
    .option("--json", "print JSON")
    .action((id: string, _: unknown, command: Command) =>
      at(command, async ({ desk }) =>
        tell(await desk.find(id), command.optsWithGlobals(), parts, approvalLines),
      ),
    );
  for (const verdict of ["approve", "decline"] as const)
    withStore(approvals.command(verdict))
      .description(verdict === "approve" ? "say yes, once, to exactly this" : "say no")
      .argument("<id>")
      .requiredOption("--reason <text>", "why; it is recorded, and the agent is shown it")
      .option("--json", "print JSON")
      .action((id: string, _: unknown, command: Command) =>
        at(command, (desk) => answer(desk, id, verdict, command.optsWithGlobals(), parts)),
      );
  withStore(approvals.command("revoke"))
    .description("take back what was granted and not yet used, or end a question")
    .argument("<id>")
    .requiredOption("--reason <text>", "why; it is recorded")
    .option("--json", "print JSON")
    .action((id: string, _: unknown, command: Command) =>
      at(command, (desk) => answer(desk, id, "revoke", command.optsWithGlobals(), parts)),
    );
}

async function list(
  { desk }: Desk,
  { all, json }: ListOptions,
  { io }: StateCommandParts,
): Promise<number> {
  const open = await desk.list(["pending", "granted", "claimed"], listMax);
  if (!open.ok) return refused(open.error, io);
  const ended =
    all === true
      ? await desk.list(["used", "declined", "expired", "revoked", "unknown"], listMax)
      : ok({ approvals: [] });
  if (!ended.ok) return refused(ended.error, io);
  const approvals = [...ended.value.approvals, ...open.value.approvals];
  if (json === true) for (const each of approvals) io.out(JSON.stringify(each));
  else if (approvals.length === 0) io.out("nothing waits for people");
  else for (const line of tableLines(approvalRows(approvals, systemClock.wallMs()))) io.out(line);
  return 0;
}

async function answer(
  { desk, config }: Desk,
  id: string,
  word: "approve" | "decline" | "revoke",
  { reason, json }: AnswerOptions,
  parts: StateCommandParts,
): Promise<number> {
  const approver = approverHere(config);
  if (!approver.ok) {
    parts.io.err(`error: ${approver.error}`);
    return 2;
  }
  const done =
    word === "revoke"
      ? await desk.revoke(approver.value, id, { reason })
      : await desk.vote(approver.value, id, { verdict: word, reason, channel });
  return tell(done, { json: json === true }, parts, (approval) => [
    `${approval.id} is ${approval.state}${stillMissing(approval)}`,
  ]);
}

function stillMissing({ state, votes }: Approval): string {
  const yes = votes.filter(({ verdict }) => verdict === "approve").length;
  return state === "pending" ? `: ${yes} said yes, and more people must` : "";
}

/** Who types: the approver whose `cli_users` names this user. */
function approverHere({ approvals }: Config): Result<Approver, string> {
  const { username } = userInfo();
  const found = approvals.approvers.find(({ cli_users: users }) => users.includes(username));
  if (found !== undefined) return ok(approverOf(found));
  return err(
    `no approver is the user ${username} of ${hostname()}: add it to cli_users of one under approvals.approvers`,
  );
}

function tell(
  found: Result<Approval, DeskRefusal>,
  { json }: JsonOption,
  { io }: StateCommandParts,
  lines: (approval: Approval) => readonly string[],
): number {
  if (!found.ok) return refused(found.error, io);
  if (json === true) io.out(JSON.stringify(found.value));
  else for (const line of lines(found.value)) io.out(line);
  return 0;
}

function refused({ kind, detail }: DeskRefusal, io: StateCommandParts["io"]): number {
  io.err(`error: ${detail}`);
  return kind === "store" ? 2 : 1;
}
