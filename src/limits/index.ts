export { type Backoff, exponentialMs, fullJitterMs, halfJitterMs } from "./backoff.ts";
export {
  askBreaker,
  type Breaker,
  type BreakerAnswer,
  type BreakerEvent,
  type BreakerSettings,
  breakerAt,
  closedBreaker,
  nextBreaker,
} from "./breaker.ts";
export {
  type Cap,
  type Counter,
  type CounterUse,
  counterKey,
  counterPrefix,
  settleStored,
  type Taken,
  take,
  useOf,
} from "./counter.ts";
export { countedOutcomes, failureWindowAt } from "./failure-window.ts";
export {
  escrowFor,
  type KillState,
  killKey,
  killStateJson,
  liftSwitches,
  nothingStopped,
  readKillState,
  type Switch,
  type SwitchedCall,
  type SwitchMode,
  type SwitchScope,
  scopeText,
  stoppingModes,
  switchFor,
  throwSwitch,
} from "./kill-switch.ts";
export { emptyWindow, type RateWindow, takeCall } from "./rate-window.ts";
export { type Attempted, mayRepeat, outcomeOfAttempts } from "./retry.ts";
export {
  type BreakerOf,
  breakerKey,
  breakerName,
  breakerPrefix,
  keptChange,
  openForMs,
  readBreakerKey,
  readSharedBreaker,
  type SharedBreaker,
  sharedBreakerJson,
} from "./shared-breaker.ts";
