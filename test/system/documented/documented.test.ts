/**
 * What README and `docs/` show is true: commands are run as they stand, by the real command, in the folder of a newcomer;
 * configurations and policies load; output is what it is said to be.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { freeRow, root } from "../product/harness.ts";
import { complaint } from "./existence.ts";
import { Newcomer } from "./newcomer.ts";
import { type Block, commandsOf, pages } from "./pages.ts";

/** Commands that are shown and not run here. They must exist all the same. */
const notRun: Readonly<Record<string, string>> = {
  "npm ci": "it replaces the packages that this test runs with; CI begins with it",
  "npm run bench:rca -- --set petshop --dir <folder> --out predictions.jsonl --ablation":
    "it needs public incidents, which are not part of this repository",
  "npm run vectors -- <folder>": "it needs public vectors, which are not part of this repository",
  "npm run vectors -- <folder> --set merkle-rfc6962 --json": "as above",
  'holdfast failover audit-gap --source-url-env SOURCE --source-query "SELECT event_id, hash FROM audit" --warehouse-url-env WAREHOUSE --warehouse-query "SELECT event_id, hash FROM audit_events"':
    "it needs two databases; test/system/failover/audit-continuity.test.ts has them",
};

/** What some of the commands must say, beyond ending well. */
const says: Readonly<Record<string, RegExp>> = {
  "holdfast policy test policies": /^1 of 1 cases passed$/m,
  "holdfast policy explain policies request.yaml": /approval_needed/,
  "holdfast tools": /payments:POST \/payments/,
  "holdfast tools --catalog": /^ {2}"payments:POST \/payments": \{ effect: write, risk: high \}$/m,
  "holdfast audit verify .holdfast/log --key log.vkey --receipt receipt.tlog-proof":
    /^verified: .*, 6 entries, /m,
  "holdfast audit show .holdfast/log --decision deny": /deny/,
  "holdfast audit prove .holdfast/log <call>": /^c2sp\.org\/tlog-proof@v1\n/,
};

/** What a person does in an editor before a command: a draft that nobody completed is not confirmed. */
const edits: Readonly<Record<string, string>> = {
  "holdfast model confirm incident.json": `sed -i 's/"resolution": ""/"resolution": "rolled back"/' incident.json`,
};

const all = pages();
const blocks = all.flatMap((page) => page.blocks);
const shell = blocks.filter(({ language }) => language === "sh");
const readme = (language: string, start: string): string =>
  blocks.find((block) => block.language === language && block.text.startsWith(start))?.text ?? "";
const config = readme("yaml", "# holdfast.yaml");
const policy = readme("yaml", "# yaml-language-server");

const made: { it?: Newcomer; demoPort?: number } = {};
const newcomer = (): Newcomer => made.it as Newcomer;

beforeAll(async () => {
  made.it = await Newcomer.follow(config, policy);
  made.demoPort = await freeRow(3);
});
afterAll(() => made.it?.close());

/** Root hashes differ from run to run. */
const steady = (text: string): string =>
  text
    .replaceAll(/root \S{44}/g, "root <hash>")
    .replaceAll(/apr-\w{26}/g, "apr-<id>")
    .trim();

/** Runs a documented command; `npm run` where package.json is. Returns its output. */
function run(command: string): string {
  const line = command.replaceAll("<call>", newcomer().call);
  const placed = line.startsWith("npm")
    ? `cd "${root}" && ${line.replace("npm run", "npm run --silent")}`
    : [edits[command] ?? [], line].flat().join(" && ");
  const done = newcomer().run(placed, { HOLDFAST_DEMO_PORT: String(made.demoPort) });
  expect(`${done.status} ${done.stderr}`, `${command}\n${done.stdout}`).toMatch(/^0 /);
  return done.stdout;
}

test("every block of code says what it is", () => {
  const known = ["sh", "text", "yaml", "json", "http", "ts", "haproxy", "nginx", "promql"];
  expect(blocks.filter(({ language }) => !known.includes(language)).map(({ at }) => at)).toEqual(
    [],
  );
  expect(shell.length).toBeGreaterThan(2);
});

for (const block of shell)
  for (const { at, text } of commandsOf(block)) {
    // Requests to a running server are made by the tests of that server (test/system/approvals/documented-api.test.ts).
    if (Object.hasOwn(notRun, text) || text.startsWith("curl ")) continue;
    test(`${at}: ${text}`, () => {
      const said = run(text);
      expect(said).toMatch(says[text] ?? /(?:)/);
      const shown = outputOf(block);
      if (shown !== undefined) expect(steady(said)).toBe(steady(shown));
    });
  }

/** The block of text that follows a shell block with nothing between is what its last command prints. */
function outputOf({ at }: Block): string | undefined {
  const [path = "", line = "0"] = at.split(":");
  const page = readFileSync(join(root, path), "utf8").split("\n");
  const end = page.indexOf("```", Number(line));
  const next = blocks.find((block) => block.at === `${path}:${end + 3}`);
  return page[end + 1] === "" && next?.language === "text" ? next.text : undefined;
}

test("what is not run exists, is shown, and has a reason", () => {
  const shown = shell.flatMap(commandsOf).map(({ text }) => text);
  expect(Object.keys(says).filter((command) => !shown.includes(command))).toEqual([]);
  for (const [command, reason] of Object.entries(notRun)) {
    expect(shown).toContain(command);
    expect(reason).not.toBe("");
    expect(complaint(command, newcomer()), command).toBeUndefined();
  }
});

test("commands inside the text exist, with their options; one that does not would be found", () => {
  const wrong = all
    .flatMap(({ inline }) => inline)
    .map(({ at, text }) => ({ at, text, complaint: complaint(text, newcomer()) }));
  expect(wrong.filter((each) => each.complaint !== undefined)).toEqual([]);
  expect(wrong.length).toBeGreaterThan(10);
  expect(complaint("holdfast polcy check <folder>", newcomer())).toMatch(
    /no command holdfast polcy/,
  );
  expect(complaint("holdfast audit show --unknwon", newcomer())).toBe("it has no --unknwon");
  expect(complaint("npm run demonstration", newcomer())).toMatch(/no script demonstration/);
  expect(complaint("node tools/none.ts", newcomer())).toMatch(/no tools\/none.ts/);
});

/** What every `failover:` has. */
const failover = { manifest: "manifest.signed.json", manifest_keys: ["lead+0+A"], token: "t" };

/** What shares no word with our configuration and is no policy is of another program, or of a manifest: it is YAML. */
for (const { at, text } of blocks.filter(({ language }) => language === "yaml"))
  test(`${at}: loads`, () => {
    const documents = parseAllDocuments(text);
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    const keys = Object.keys(documents[0]?.toJS() as object);
    const configKeys = Object.keys(
      JSON.parse(readFileSync(join(root, "schemas/config.schema.json"), "utf8")).properties,
    );
    if (keys.includes("policy") || keys.includes("tools")) {
      writeFileSync(join(newcomer().folder, "policies/payments.yaml"), text);
      run("holdfast policy check policies");
      writeFileSync(join(newcomer().folder, "policies/payments.yaml"), policy);
    } else if (keys.some((key) => configKeys.includes(key))) {
      expect(keys.filter((key) => !configKeys.includes(key))).toEqual([]);
      // A part of a configuration completes README's.
      const shown = parse(text);
      if (shown.failover !== undefined) shown.failover = { ...failover, ...shown.failover };
      const whole = stringify({ ...parse(config), ...shown });
      writeFileSync(join(newcomer().folder, "shown.yaml"), whole);
      run("holdfast tools --config shown.yaml");
    }
  });

test("README's mistyped word is refused in the words that README shows", () => {
  const page = readFileSync(join(root, "README.md"), "utf8");
  const shown = /`(payments\.yaml:[^`]*)`/.exec(page)?.[1];
  const file = join(newcomer().folder, "policies/payments.yaml");
  writeFileSync(file, policy.replace("outcome:", "outcom:"));
  const { status, stdout, stderr } = newcomer().run("holdfast policy check policies");
  writeFileSync(file, policy);
  expect(status).toBe(1);
  expect(stdout + stderr).toContain(shown ?? "README shows no mistyped word");
});
