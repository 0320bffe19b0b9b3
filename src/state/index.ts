export {
  SharedState,
  type SharedStateOptions,
  type StateChange,
  type StateError,
} from "./shared-state.ts";
