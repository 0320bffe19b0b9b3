/** Questions to the runtime model. They are asked by POST, since a symptom is words; nothing changes by them. */
import type { JsonObject, Result } from "../../kernel/index.ts";
import { jsonAnswer } from "../web.ts";
import type { AdminRoute } from "./route.ts";

/** One question that the model answers; agents ask the same over MCP. */
export interface ModelQuestion {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  /** The error is a sentence for whoever asked. */
  run(args: JsonObject): Promise<Result<JsonObject, string>>;
}

export function modelRoutes(questions: readonly ModelQuestion[]): readonly AdminRoute[] {
  return questions.map(({ name, description, inputSchema, run }) => ({
    ...{ method: "POST", path: `/v1/model/${name}`, operation: `model_${name}` },
    summary: `Ask the model: ${name}`,
    description,
    body: inputSchema,
    success: { status: 200, description: "The answer.", schema: "ModelAnswer" },
    refusals: { "422": "The model knows no such node at that moment, or cannot be read." },
    answer: async ({ body }) => {
      const answered = await run(body);
      if (answered.ok) return jsonAnswer(200, answered.value);
      const { error: detail } = answered;
      return { status: 422, code: "no_answer", title: "No answer", detail };
    },
  }));
}
