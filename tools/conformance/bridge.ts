/**
 * The command that the suite starts as its client. It hands the scenario to the run that started the suite, and ends
 * when that has driven it: so one gateway in front of all scenarios is enough.
 */
const meeting = process.env["HOLDFAST_CONFORMANCE_MEETING"] ?? "";
const response = await fetch(meeting, {
  method: "POST",
  body: JSON.stringify({
    scenario: process.env["MCP_CONFORMANCE_SCENARIO"],
    revision: process.env["MCP_CONFORMANCE_PROTOCOL_VERSION"],
    context: JSON.parse(process.env["MCP_CONFORMANCE_CONTEXT"] ?? "{}"),
    url: process.argv.at(-1),
  }),
});
process.stdout.write(await response.text());
process.exitCode = response.ok ? 0 : 1;
