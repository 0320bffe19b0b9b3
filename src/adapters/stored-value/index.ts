/** What stores share. */
export { prefixEnd, storedValue, valueText } from "./stored-value.ts";
