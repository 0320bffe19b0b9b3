export {
  type Committed,
  type Ledger,
  type LedgerError,
  type LedgerLimits,
  type LedgerOpenError,
  ledgerLimits,
} from "./ledger.ts";
export { type LedgerOptions, openLedger } from "./open.ts";
