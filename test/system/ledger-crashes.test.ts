/** Crashes of the ledger over many seeds: the everyday tests run the first of them. */
import { test } from "vitest";
import { expectNothingLost } from "../unit/ledger/crashes.ts";

const seeds = 400;

test(`${seeds} seeds of crashes: no acknowledged entry is lost and the log verifies`, () =>
  expectNothingLost(seeds));
