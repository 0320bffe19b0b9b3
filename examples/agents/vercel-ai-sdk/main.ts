/** Runs the agent against a local Holdfast (`npm start` in the root of the repository). */
import { runAgent } from "./agent.ts";
import { scriptedModel } from "./scripted-model.ts";

const answer = await runAgent(scriptedModel(), "Write the weekly report, hidden from the others.", {
  url: process.env["HOLDFAST_URL"] ?? "http://127.0.0.1:7080/mcp/files",
  token: process.env["HOLDFAST_TOKEN"] ?? "support-bot-development-token",
});
process.stdout.write(`${answer}\n`);
