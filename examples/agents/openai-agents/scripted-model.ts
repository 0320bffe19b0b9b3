/** Stands in for a model, so that the example runs without one: writes a report, and heeds a refusal. */
import type { AgentInputItem, Model, ModelRequest, ModelResponse } from "@openai/agents";
import { setTracingDisabled, Usage } from "@openai/agents";

// Traces go to the vendor, and there is no key for it here.
setTracingDisabled(true);

type Output = ModelResponse["output"][number];

export class ScriptedModel implements Model {
  async getResponse({ input }: ModelRequest): Promise<ModelResponse> {
    const items = typeof input === "string" ? [] : input;
    return { usage: new Usage(), output: [turn(items.flatMap(toolText))] };
  }

  getStreamedResponse(): never {
    throw new Error("the scripted model does not stream");
  }
}

/** The text of a tool's result: all that a model is shown of it. */
function toolText(item: AgentInputItem): readonly string[] {
  if (item.type !== "function_call_result") return [];
  const { output } = item;
  if (typeof output === "string") return [output];
  const parts = Array.isArray(output) ? output : [output];
  return [parts.map((part) => ("text" in part ? part.text : "")).join("\n")];
}

/** The next thing the model says, from what the tools said so far. */
function turn(results: readonly string[]): Output {
  const folder = /^\/.*$/m.exec(results[0] ?? "")?.[0] ?? "";
  const content = "# Weekly report\n";
  switch (results.length) {
    case 0:
      return call("list_allowed_directories", {});
    case 1:
      return call("write_file", { path: `${folder}/.weekly-report.md`, content });
    case 2:
      // What a model makes of a refusal: the text says why, and the next try is another one.
      return (results[1] ?? "").includes("starts with a point")
        ? call("write_file", { path: `${folder}/weekly-report.md`, content })
        : say("I could not write the report.");
    default:
      return say(`The report is in weekly-report.md. My first try was refused:\n${results[1]}`);
  }
}

function call(name: string, args: object): Output {
  const callId = crypto.randomUUID();
  return { type: "function_call", callId, name, arguments: JSON.stringify(args) };
}

function say(text: string): Output {
  const content = [{ type: "output_text" as const, text }];
  return { type: "message", role: "assistant", status: "completed", content };
}
