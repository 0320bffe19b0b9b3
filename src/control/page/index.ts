export { ApprovalPage, type ApprovalPageParts } from "./approval-page.ts";
export { cookieJar } from "./cookies.ts";
export { Sessions } from "./sessions.ts";
