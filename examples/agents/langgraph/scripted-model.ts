/** Stands in for a model, so that the example runs without one: writes a report, and heeds a refusal. */
import { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { AIMessage, type BaseMessage, ToolMessage } from "@langchain/core/messages";
import type { ChatResult } from "@langchain/core/outputs";

export class ScriptedModel extends BaseChatModel {
  _llmType(): string {
    return "scripted";
  }

  override bindTools(): this {
    return this;
  }

  async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    const results = messages.filter((message) => ToolMessage.isInstance(message));
    const message = turn(results.map(({ text }) => text));
    return { generations: [{ text: message.text, message }] };
  }
}

/** The next thing the model says, from what the tools said so far. */
function turn(results: readonly string[]): AIMessage {
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
        : new AIMessage("I could not write the report.");
    default:
      return new AIMessage(
        `The report is in weekly-report.md. My first try was refused:\n${results[1]}`,
      );
  }
}

function call(name: string, args: Record<string, unknown>): AIMessage {
  return new AIMessage({
    content: "",
    tool_calls: [{ name, args, id: crypto.randomUUID(), type: "tool_call" }],
  });
}
