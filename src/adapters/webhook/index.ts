export { webhookDecisions } from "./decisions.ts";
export { webhookNotifier } from "./webhook-notifier.ts";
