/**
 * A notice as an Adaptive Card 1.4, as a workflow posts it. Everything is written in text runs, where Teams reads no
 * markdown: otherwise an agent could write links into the question. Buttons of a posted card can only open a page.
 */
import type { JsonArray, JsonObject } from "../../kernel/index.ts";
import type { BoundAnswer, Notice } from "../../ports.ts";
import { answerCode } from "./answer-code.ts";

const linesMax = 60;

/** `answerTo` is the name people mention to answer in words; undefined: only on the page. */
export function noticeMessage(notice: Notice, answersInWords: boolean): JsonObject {
  const content = {
    ...{ type: "AdaptiveCard", $schema: "http://adaptivecards.io/schemas/adaptive-card.json" },
    ...{ version: "1.4", fallbackText: notice.title },
    body: [...bodyOf(notice), ...(answersInWords ? wordsOf(notice) : [])],
    actions: [{ type: "Action.OpenUrl", title: "Open", url: notice.link }],
    msteams: { width: "Full" },
  };
  const attachment = {
    ...{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content },
  };
  return { type: "message", attachments: [attachment] };
}

function bodyOf({ title, status, fields, body, turn }: Notice): JsonArray {
  const color = status === "open" ? "attention" : "default";
  return [
    line([{ text: title, weight: "bolder", size: "large", color }]),
    ...(turn.length === 0
      ? []
      : [line([{ text: `On call: ${turn.join(", ")}`, weight: "bolder" }])]),
    ...fields.map(({ name, value }) =>
      line([{ text: `${name}: `, weight: "bolder" }, { text: value }], "small"),
    ),
    ...(body === null ? [] : codeOf(body)),
  ];
}

/** One line each, indented by spaces that Teams keeps; what has too many lines stands in one paragraph. */
function codeOf(body: string): JsonArray {
  const lines = body.split("\n");
  const shown = lines.length <= linesMax ? lines : [body.replaceAll(/\n\s*/g, " ")];
  return shown.map((text, i) => {
    const indented = text.replace(/^ +/, (spaces) => "\u00a0".repeat(spaces.length));
    const run = { text: indented === "" ? " " : indented, fontType: "monospace" };
    return line([run], i === 0 ? "medium" : "none");
  });
}

function wordsOf({ answers }: Notice): JsonArray {
  return answers.flatMap((answer) => [
    line([{ text: "Answer here, with the name of the webhook in front: ", weight: "bolder" }]),
    ...["approve", "decline"].map((verdict) =>
      line([{ text: sentenceOf(verdict, answer), fontType: "monospace" }], "none"),
    ),
  ]);
}

function sentenceOf(verdict: string, answer: BoundAnswer): string {
  return `${verdict} ${answer.approval} ${answerCode(answer)} because …`;
}

function line(runs: readonly JsonObject[], spacing = "default"): JsonObject {
  return {
    type: "RichTextBlock",
    spacing,
    inlines: runs.map((run) => ({ type: "TextRun", ...run })),
  };
}
