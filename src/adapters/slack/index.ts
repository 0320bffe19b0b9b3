export { SlackApi, type SlackApp } from "./api.ts";
export { SlackInteractions } from "./interactions.ts";
export { slackInteractivity } from "./interactivity.ts";
export { slackNotifier } from "./slack-notifier.ts";
export { followSocketMode } from "./socket-mode.ts";
