export type {
  Committed,
  Ledger,
  LedgerError,
  LedgerLimits,
  LedgerOpenError,
} from "./ledger.ts";
export { type LedgerOptions, openLedger } from "./open.ts";
