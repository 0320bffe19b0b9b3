/** A provider: somebody else's, which tells nobody anything. `SHOP_FOLDER/bank.json` says whether it works. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

const state = join(process.env["SHOP_FOLDER"] ?? ".", "bank.json");

function isDown(): boolean {
  try {
    return (JSON.parse(readFileSync(state, "utf8")) as { down?: boolean }).down === true;
  } catch {
    return false;
  }
}

const server = createServer((_, response) => {
  setTimeout(() => {
    response.writeHead(isDown() ? 503 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify({ authorised: !isDown() }));
  }, 8);
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ service: "bank", url: `http://127.0.0.1:${port}` })}\n`);
});
process.once("SIGTERM", () => process.exit(0));
