export { retained } from "./retained.ts";
export {
  endOfEvent,
  type RememberedKind,
  type RememberedRule,
  type Remembrance,
  readableKinds,
  rememberedKinds,
  remembranceUnlessGiven,
} from "./rules.ts";
