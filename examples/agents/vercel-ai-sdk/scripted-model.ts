/** Stands in for a model, so that the example runs without one: writes a report, and heeds a refusal. */
import { MockLanguageModelV4 } from "ai/test";

type Generate = MockLanguageModelV4["doGenerate"];
type Prompt = Parameters<Generate>[0]["prompt"];
type Generated = Awaited<ReturnType<Generate>>;

export function scriptedModel(): MockLanguageModelV4 {
  return new MockLanguageModelV4({ doGenerate: async ({ prompt }) => turn(toolTexts(prompt)) });
}

/** What the model is shown of the tools' results. */
function toolTexts(prompt: Prompt): readonly string[] {
  return prompt
    .flatMap((message) => (message.role === "tool" ? message.content : []))
    .flatMap((part) => (part.type === "tool-result" ? [part.output] : []))
    .map((output) => {
      if (output.type !== "content") return "value" in output ? String(output.value) : "";
      return output.value.map((each) => (each.type === "text" ? each.text : "")).join("\n");
    });
}

/** The next thing the model says, from what the tools said so far. */
function turn(results: readonly string[]): Generated {
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

const usage: Generated["usage"] = {
  inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 0, text: 0, reasoning: 0 },
};

function call(toolName: string, args: object): Generated {
  const toolCallId = crypto.randomUUID();
  return {
    content: [{ type: "tool-call", toolCallId, toolName, input: JSON.stringify(args) }],
    finishReason: { unified: "tool-calls", raw: "tool-calls" },
    usage,
    warnings: [],
  };
}

function say(text: string): Generated {
  return {
    content: [{ type: "text", text }],
    finishReason: { unified: "stop", raw: "stop" },
    usage,
    warnings: [],
  };
}
