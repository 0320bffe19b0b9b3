/**
 * A newcomer who did what README says, in a folder of their own: its configuration, its policy, a gateway that ran on
 * them and was stopped, with the record of three calls and a receipt kept from one of them.
 */
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { type PaymentsProgram, startPayments } from "../../fixtures/payments-program.ts";
import { freePorts, Process, root, supportBot } from "../product/harness.ts";
import { writeModelFiles } from "./model-files.ts";

/** What README's configuration needs to run here, where its addresses do not exist. */
function grounded(config: string, folder: string, ports: readonly number[], api: string): string {
  const files = join(root, "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js");
  const replacements: readonly (readonly [string, string])[] = [
    [
      "listen: 127.0.0.1:7080",
      `listen: 127.0.0.1:${ports[0]}\ncontrol: { listen: "127.0.0.1:${ports[1]}" }`,
    ],
    [
      '[npx, -y, "@modelcontextprotocol/server-filesystem", /srv/shared]',
      `["${process.execPath}", "${files}", "${folder}"]`,
    ],
    ["https://tickets.example.com", "http://127.0.0.1:9"],
    ["https://payments.example.com", api],
    ["https://id.example.com/jwks.json", "http://127.0.0.1:9/jwks.json"],
  ];
  const made = replacements.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`README's configuration no longer says ${from}`);
    return text.replace(from, to);
  }, config);
  return `${made}\ndevelopment_tokens: [{ token: ${supportBot}, agent: support-bot }]\n`;
}

const cases = `
cases:
  - name: the card number is masked
    request:
      agent: support-bot
      tool: payments:POST /payments
      args: { body: { amount: 120, currency: EUR, card_number: "4111111111111111" } }
    expect: { outcome: sanitize, rule: payments/pay }
`;
const request = `
agent: support-bot
tool: payments:POST /payments
args: { body: { amount: 75000, currency: EUR } }
`;

export class Newcomer {
  readonly folder: string = mkdtempSync(join(tmpdir(), "holdfast-newcomer-"));
  /** The id of the call that was sanitized. */
  call = "";
  readonly #payments: PaymentsProgram;

  static async follow(config: string, policy: string): Promise<Newcomer> {
    const payments = await startPayments(join(mkdtempSync(join(tmpdir(), "holdfast-pay-")), "j"));
    const newcomer = new Newcomer(payments);
    newcomer.#files(config, policy);
    await newcomer.#live(config);
    return newcomer;
  }

  private constructor(payments: PaymentsProgram) {
    this.#payments = payments;
  }

  /** Runs a line of shell in the folder, `holdfast` being the real command. */
  run(line: string, env: Readonly<Record<string, string>> = {}): SpawnSyncReturns<string> {
    const path = [join(this.folder, ".bin"), dirname(process.execPath), process.env["PATH"]];
    return spawnSync("sh", ["-c", line], {
      cwd: this.folder,
      encoding: "utf8",
      env: { ...process.env, PATH: path.join(delimiter), TICKETS_AUTH: "Bearer secret", ...env },
    });
  }

  close(): void {
    this.#payments.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #files(config: string, policy: string): void {
    const write = (path: string, text: string): void =>
      writeFileSync(join(this.folder, path), text);
    for (const made of [".bin", "policies"]) mkdirSync(join(this.folder, made));
    write(
      ".bin/holdfast",
      `#!/bin/sh\nexec "${process.execPath}" "${root}/bin/holdfast.mjs" "$@"\n`,
    );
    chmodSync(join(this.folder, ".bin/holdfast"), 0o755);
    write("holdfast.yaml", config);
    write("policies/payments.yaml", policy);
    write("policies/payments.test.yaml", cases);
    write("request.yaml", request);
    copyFileSync(
      join(root, "examples/payments/openapi.yaml"),
      join(this.folder, "payments.openapi.yaml"),
    );
    cpSync(join(root, "examples/failover"), join(this.folder, "failover"), { recursive: true });
    writeModelFiles(this.folder, Date.now());
  }

  async #live(config: string): Promise<void> {
    const ports = await freePorts([0, 0]);
    const live = join(this.folder, "live.yaml");
    writeFileSync(live, grounded(config, this.folder, ports, this.#payments.base));
    process.env["TICKETS_AUTH"] = "Bearer secret";
    const control = new Process(["control", "--config", live]);
    await control.line("bundle_published");
    const gateway = new Process(["gateway", "--config", live]);
    await gateway.line("gateway_listening");
    const payments = `http://127.0.0.1:${ports[0]}/http/payments/payments`;
    const sanitized = await ask(payments, {
      amount: 120,
      currency: "EUR",
      account_id: "acct_1",
      card_number: "4111111111111111",
    });
    this.call = sanitized.headers.get("holdfast-call") ?? "";
    const receipt = sanitized.headers.get("holdfast-receipt") ?? "";
    writeFileSync(join(this.folder, "receipt.tlog-proof"), Buffer.from(receipt, "base64url"));
    await ask(payments, { amount: 75_000, currency: "EUR", account_id: "acct_1" });
    await ask(payments, { amount: 120, currency: "euro", account_id: "acct_1" });
    await gateway.stop();
    await control.stop();
    const key = readFileSync(join(this.folder, ".holdfast/log/log.vkey"));
    writeFileSync(join(this.folder, "log.vkey"), key);
    rmSync(live);
  }
}

function ask(url: string, body: unknown): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${supportBot}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}
