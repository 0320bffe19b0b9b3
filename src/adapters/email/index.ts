export { emailNotifier } from "./email-notifier.ts";
