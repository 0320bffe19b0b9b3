/**
 * A notice as Block Kit (https://docs.slack.dev/reference/block-kit). Text from outside stands only where Slack reads no
 * markup: plain text and preformatted rich text. Otherwise an agent could write links and mentions into the question.
 */
import type { ActionsBlock, Button, KnownBlock, ModalView } from "@slack/types";
import type { BoundAnswer, Notice } from "../../ports.ts";

export const actionIds = {
  approve: "holdfast_approve",
  decline: "holdfast_decline",
  open: "holdfast_open",
} as const;

export const modalCallbackId = "holdfast_answer";
export const reasonBlockId = "holdfast_reason";
export const reasonActionId = "reason";

type Verdict = "approve" | "decline";

const fieldsOfSectionMax = 10;
const reasonCharactersMax = 2_000;

/** `mention` is the Slack member id of an approver, if there is one. */
export function noticeBlocks(
  notice: Notice,
  mention: (approver: string) => string | undefined,
): KnownBlock[] {
  const turn = notice.turn.flatMap((approver) => mention(approver) ?? []);
  return [
    { type: "header", text: plain(notice.title, 150) },
    ...(turn.length === 0
      ? []
      : [
          {
            type: "section" as const,
            text: { type: "mrkdwn" as const, text: `On call: ${turn.map(mentionOf).join(" ")}` },
          },
        ]),
    ...factBlocks(notice),
    buttons(notice),
  ];
}

function factBlocks({ fields, body }: Notice): KnownBlock[] {
  const sections: KnownBlock[] = [];
  for (let from = 0; from < fields.length; from += fieldsOfSectionMax)
    sections.push({
      type: "section",
      fields: fields
        .slice(from, from + fieldsOfSectionMax)
        .map(({ name, value }) => plain(`${name}\n${value}`, 2_000)),
    });
  if (body === null) return sections;
  return [
    ...sections,
    {
      type: "rich_text",
      elements: [{ type: "rich_text_preformatted", elements: [{ type: "text", text: body }] }],
    },
  ];
}

function buttons({ answers, link, kind }: Notice): ActionsBlock {
  const all = kind === "digest" ? " all" : "";
  const value = answersText(answers);
  const open: Button = {
    type: "button",
    action_id: actionIds.open,
    text: plain("Open"),
    url: link,
  };
  const decide: Button[] = [
    {
      ...{ type: "button", action_id: actionIds.approve, style: "primary", value },
      text: plain(`Approve${all}…`),
    },
    {
      ...{ type: "button", action_id: actionIds.decline, style: "danger", value },
      text: plain(`Decline${all}…`),
    },
  ];
  return { type: "actions", elements: answers.length === 0 ? [open] : [...decide, open] };
}

/** Asks for the reason; shows once more what is decided, because a channel scrolls. */
export function reasonModal(verdict: Verdict, notice: Notice): ModalView {
  return {
    type: "modal",
    callback_id: modalCallbackId,
    private_metadata: JSON.stringify([verdict, answersText(notice.answers)]),
    title: plain(verdict === "approve" ? "Approve" : "Decline"),
    submit: plain(verdict === "approve" ? "Approve" : "Decline"),
    close: plain("Back"),
    blocks: [
      { type: "section", text: plain(notice.title, 3_000) },
      ...factBlocks(notice),
      {
        type: "input",
        block_id: reasonBlockId,
        label: plain("Why? It is recorded, and the agent is told."),
        element: {
          ...{ type: "plain_text_input", action_id: reasonActionId, multiline: true },
          ...{ min_length: 1, max_length: reasonCharactersMax },
        },
      },
    ],
  };
}

/** What a modal asked, from its private metadata; undefined for what Holdfast did not write. */
export function readQuestion(
  metadata: string,
): { readonly verdict: Verdict; readonly on: readonly BoundAnswer[] } | undefined {
  const parsed = parsedOf(metadata);
  const [verdict, text] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  const on = typeof text === "string" ? readAnswersText(text) : undefined;
  return on !== undefined && (verdict === "approve" || verdict === "decline")
    ? { verdict, on }
    : undefined;
}

/** What an answer is bound to, inside a button (at most 2,000 characters) and a modal (3,000). */
export function answersText(answers: readonly BoundAnswer[]): string {
  return JSON.stringify(
    answers.map(({ approval, version, argsDigest }) => [approval, version, argsDigest]),
  );
}

/** Undefined for what Holdfast did not write. */
export function readAnswersText(text: string): readonly BoundAnswer[] | undefined {
  const parsed = parsedOf(text);
  if (!Array.isArray(parsed)) return undefined;
  const answers: BoundAnswer[] = [];
  for (const each of parsed as unknown[]) {
    const [approval, version, argsDigest] = Array.isArray(each) ? (each as unknown[]) : [];
    if (typeof approval !== "string" || typeof argsDigest !== "string") return undefined;
    if (typeof version !== "number" || !Number.isSafeInteger(version)) return undefined;
    answers.push({ approval, version, argsDigest });
  }
  return answers;
}

function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The characters that mean something in Slack's own text (https://docs.slack.dev/messaging/formatting-message-text). */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

export function mentionOf(member: string): string {
  return `<@${member}>`;
}

function plain(
  text: string,
  charactersMax = 75,
): { type: "plain_text"; text: string; emoji: false } {
  const fits = text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1)}…`;
  return { type: "plain_text", text: fits, emoji: false };
}
