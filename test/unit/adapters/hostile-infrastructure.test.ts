/** Files of other programs may be broken or hostile: they are read or refused, and never stop the reader. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { lintConfig, lintedKindOf, lintedKinds } from "../../../src/adapters/config-lint/index.ts";
import { kindOf, readInfrastructure } from "../../../src/adapters/infrastructure/index.ts";
import { parseForeignYaml } from "../../../src/policy/index.ts";
import * as configs from "../../fixtures/proxy-configs.ts";
import * as stack from "../../fixtures/sample-stack.ts";

const texts = [
  ...[configs.closedHaproxy, configs.closedPatroni, configs.closedEnvoy, configs.closedPowerdns],
  ...[configs.closedNginx, stack.composeFile, stack.kubernetesFile, stack.helmFile],
  ...[stack.terraformState(), stack.patroniFile, stack.haproxyFile],
];
const kinds = ["compose", "kubernetes", "terraform", "patroni", "haproxy"] as const;

/** A sample with a piece of it replaced, or any text at all. */
const broken = fc.oneof(
  fc
    .record({
      text: fc.constantFrom(...texts),
      from: fc.nat(2_000),
      length: fc.nat(40),
      by: fc.oneof(
        fc.string({ maxLength: 20 }),
        fc.constantFrom("{", "}", "\n- ", "&a *a", "<<: *x", '"'),
      ),
    })
    .map(({ text, from, length, by }) => text.slice(0, from) + by + text.slice(from + length)),
  fc.string({ maxLength: 400 }),
);

test("whatever a file holds, it is read or refused, with places inside it", () => {
  fc.assert(
    fc.property(broken, (text) => {
      kindOf("file", text);
      lintedKindOf("file", text);
      const lines = text.split("\n").length;
      for (const kind of kinds) {
        const { parts, diagnostics } = readInfrastructure(kind, {
          ...{ path: "file", text, digestBeside: () => undefined },
        });
        for (const { place } of parts) expect(place.line).toBeLessThanOrEqual(lines);
        for (const { line } of diagnostics) expect(line).toBeLessThanOrEqual(lines);
      }
      for (const kind of lintedKinds)
        for (const { line } of lintConfig("file", text, kind)) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
        }
    }),
    { numRuns: 200 },
  );
});

test("aliases that stand for billions of values are refused, soon", () => {
  const levels = Array.from({ length: 12 }, (_, at) => {
    const items = Array.from({ length: 10 }, () => (at === 0 ? "x" : `*l${at - 1}`)).join(", ");
    return `l${at}: &l${at} [${items}]`;
  });
  const { roots, diagnostics } = parseForeignYaml("bomb.yaml", levels.join("\n"));
  expect(roots).toEqual([]);
  expect(diagnostics).toMatchObject([{ message: expect.stringContaining("over 1000000 values") }]);
});

test("an alias of itself ends", () => {
  expect(parseForeignYaml("loop.yaml", "a: &a [*a]").roots).toHaveLength(1);
});
