export type { Committed, Ledger, LedgerError } from "./ledger.ts";
