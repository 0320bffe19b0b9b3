export { teamsOutgoingWebhook } from "./outgoing-webhook.ts";
export { teamsNotifier } from "./teams-notifier.ts";
