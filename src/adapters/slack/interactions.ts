/**
 * Clicks and modals (https://docs.slack.dev/reference/interaction-payloads). A click decides nothing: it opens a modal
 * that asks for the reason, and its submission is the vote. Who clicked is whom Slack names in what it signed.
 */
import type { ChatAnswers, GivenAnswer } from "../../control/index.ts";
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import type { BoundAnswer, Clock, Log, Notice } from "../../ports.ts";
import type { SlackApi } from "./api.ts";
import {
  actionIds,
  modalCallbackId,
  readAnswersText,
  readQuestion,
  reasonActionId,
  reasonBlockId,
  reasonModal,
} from "./blocks.ts";

export interface SlackInteractionsParts {
  readonly answers: ChatAnswers;
  readonly api: SlackApi;
  readonly clock: Clock;
  readonly log: Log;
  /** Only members of this workspace answer, not guests of a shared channel; undefined: whoever is mapped. */
  readonly team: string | undefined;
}

/** Slack shows an error to the person after three seconds without an answer. */
const answerWithinMs = 2_500;

export class SlackInteractions {
  readonly #parts: SlackInteractionsParts;

  constructor(parts: SlackInteractionsParts) {
    this.#parts = parts;
  }

  /** What Slack is answered, within three seconds; undefined: an empty answer. */
  async answer(payload: JsonObject): Promise<JsonObject | undefined> {
    if (payload["type"] === "block_actions") {
      // Answered at once: the modal is opened meanwhile, with a trigger that lives as short.
      void this.#clicked(payload).catch((thrown) => this.#failed(thrown));
      return undefined;
    }
    if (payload["type"] !== "view_submission") return undefined;
    const { clock } = this.#parts;
    const answered = new AbortController();
    const late = clock.sleep(answerWithinMs, answered.signal).then(() => stillStoring);
    try {
      return await Promise.race([this.#submitted(payload), late]);
    } finally {
      answered.abort();
    }
  }

  async #clicked(payload: JsonObject): Promise<void> {
    const action = isJsonArray(payload["actions"]) ? payload["actions"][0] : undefined;
    const id = textAt(action, "action_id");
    const verdict = verdictOf(id);
    if (verdict === undefined) return;
    const { answers, api } = this.#parts;
    const member = textAt(payload["user"], "id") ?? "";
    const refuse = async (detail: string): Promise<void> => {
      await this.#whisper(payload, member, detail);
    };
    const who = this.#who(payload);
    if (!who.ok) return await refuse(who.detail);
    const on = readAnswersText(textAt(action, "value") ?? "");
    if (on === undefined) return await refuse("This button was not made by this Holdfast.");
    const looked = await answers.look(who.approver, on);
    if (!looked.ok) return await refuse(sentence(looked.error.detail));
    const notice = answers.noticeOf(looked.value);
    const opened = await api.openModal(
      textAt(payload, "trigger_id") ?? "",
      reasonModal(verdict, bound(notice, on)),
    );
    if (!opened.ok)
      await refuse(
        `The dialog could not be opened (${opened.error.detail}). Try again, or use Open.`,
      );
  }

  async #submitted(payload: JsonObject): Promise<JsonObject> {
    const { answers, log } = this.#parts;
    const view = payload["view"];
    if (textAt(view, "callback_id") !== modalCallbackId)
      return fault("This dialog was not made by this Holdfast.");
    const who = this.#who(payload);
    if (!who.ok) return fault(who.detail);
    const given = givenIn(view);
    if (given === undefined) return fault("This dialog was not made by this Holdfast.");
    const answered = await answers.answer(who.approver, given);
    if (!answered.ok) {
      const { kind, detail } = answered.error;
      log.write("info", "slack_answer_refused", { approver: who.approver.id, kind, detail });
      return fault(sentence(detail));
    }
    const names = answered.value.map(({ id }) => id);
    log.write("info", "slack_answered", {
      approver: who.approver.id,
      verdict: given.verdict,
      approvals: names,
    });
    return { response_action: "clear" };
  }

  #who(payload: JsonObject) {
    const { answers, team } = this.#parts;
    const user = payload["user"];
    const member = textAt(user, "id");
    if (member === undefined)
      return { ok: false, detail: "Slack did not say who you are." } as const;
    const home = textAt(user, "team_id") ?? textAt(payload["team"], "id");
    if (team !== undefined && home !== team)
      return {
        ok: false,
        detail: "Only members of the workspace that Holdfast belongs to answer here.",
      } as const;
    const found = answers.approver("slack", member);
    return found.ok
      ? ({ ok: true, approver: found.value } as const)
      : ({ ok: false, detail: found.error.detail } as const);
  }

  async #whisper(payload: JsonObject, member: string, text: string): Promise<void> {
    const channel = textAt(payload["channel"], "id") ?? textAt(payload["container"], "channel_id");
    const { api, log } = this.#parts;
    log.write("info", "slack_click_refused", { member, detail: text });
    if (channel === undefined) return;
    const said = await api.whisper(channel, member, text);
    if (!said.ok) log.write("warn", "slack_not_told", { member, ...said.error });
  }

  #failed(thrown: unknown): void {
    this.#parts.log.write("error", "slack_click_failed", { detail: String(thrown) });
  }
}

type Verdict = GivenAnswer["verdict"];

function verdictOf(action: string | undefined): Verdict | undefined {
  if (action === actionIds.approve) return "approve";
  return action === actionIds.decline ? "decline" : undefined;
}

function givenIn(view: JsonValue | undefined): GivenAnswer | undefined {
  const values = memberOf(memberOf(view, "state"), "values");
  const reason = textAt(memberOf(memberOf(values, reasonBlockId), reasonActionId), "value") ?? "";
  const asked = readQuestion(textAt(view, "private_metadata") ?? "");
  return asked && { ...asked, reason, channel: "slack" };
}

/** What is answered is what was clicked on, not what it became since. */
function bound(notice: Notice, answers: readonly BoundAnswer[]): Notice {
  return { ...notice, answers };
}

function fault(detail: string): JsonObject {
  return { response_action: "errors", errors: { [reasonBlockId]: detail.slice(0, 2_000) } };
}

const stillStoring: JsonObject = fault(
  "The store is slow. Your answer may be stored already: look at the message, and send it again if it still waits.",
);

function sentence(detail: string): string {
  return `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`;
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

function textAt(value: JsonValue | undefined, name: string): string | undefined {
  const member = memberOf(value, name);
  return typeof member === "string" ? member : undefined;
}
