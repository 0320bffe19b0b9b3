export { boundedName, boundedText, isHostileName } from "./bounded-name.ts";
export { eventBytesMax, faultOf } from "./check-event.ts";
