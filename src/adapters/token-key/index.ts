export { openTokenKey, type TokenKeyError } from "./token-key.ts";
