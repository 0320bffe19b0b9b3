/** The people of the demonstration: Dana, who leads payments, in front of a stand-in for Slack. */
import { SlackStandIn } from "../test/fixtures/slack-stand-in.ts";

const dana = "U0DANA";
const channel = "C0PAY";
const waitMs = 20_000;

export class DemoPeople {
  readonly #slack: SlackStandIn;
  readonly #controlUrl: string;
  /** Messages that were answered. */
  #answered = 0;

  static async start(controlUrl: string): Promise<DemoPeople> {
    return new DemoPeople(await SlackStandIn.start(), controlUrl);
  }

  private constructor(slack: SlackStandIn, controlUrl: string) {
    this.#slack = slack;
    this.#controlUrl = controlUrl;
  }

  /** What the configuration says of them. */
  get config(): string {
    const { botToken, signingSecret, apiUrl } = this.#slack;
    return `
approvals:
  approvers: [{ id: dana, groups: [payments-leads], slack: ${dana} }]
  slack: { bot_token: ${botToken}, signing_secret: ${signingSecret}, api_url: ${apiUrl} }
  channels: { payments: { slack: ${channel} } }
`;
  }

  /** Waits for the next message, clicks, gives the reason, and sees the message change. One line about it. */
  async answer(verdict: "approve" | "decline", reason: string): Promise<string> {
    const slack = this.#slack;
    const message = await this.#wait("a message", () => slack.in(channel)[this.#answered]);
    this.#answered += 1;
    const [url, views] = [`${this.#controlUrl}/slack/interactivity`, slack.views.length];
    const click = slack.clickPayload(message, `holdfast_${verdict}`, dana);
    await slack.signed(url, click).send();
    const view = await this.#wait("a modal", () => slack.views[views]);
    await slack.signed(url, slack.submitPayload(view, dana, reason)).send();
    await this.#wait("the message to change", () => (message.updates > 0 ? true : undefined));
    const did = verdict === "approve" ? "approves" : "declines";
    return `Slack: #payments shows it, Dana ${did}: ${reason}`;
  }

  async stop(): Promise<void> {
    await this.#slack.stop();
  }

  async #wait<T>(what: string, look: () => T | undefined): Promise<T> {
    const end = performance.now() + waitMs;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      if (performance.now() > end) throw new Error(`waited in vain for ${what} in Slack`);
      await new Promise((wake) => setTimeout(wake, 20));
    }
  }
}
