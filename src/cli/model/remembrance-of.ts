/** What `model:` of the configuration says is remembered. */
import { type Remembrance, rememberedKinds, remembranceUnlessGiven } from "../../model/index.ts";
import type { ModelConfig } from "../config-types.ts";

const dayMs = 24 * 3_600_000;

/** Days of a kind, else days of all, else what is kept unless given. */
export function remembranceOf({
  keep_days: ofAll,
  kinds,
}: Pick<ModelConfig, "keep_days" | "kinds">): Remembrance {
  return Object.fromEntries(
    rememberedKinds.map((kind) => {
      const unlessGiven = remembranceUnlessGiven[kind];
      const days = kinds[kind]?.keep_days ?? ofAll;
      return [
        kind,
        {
          remember: kinds[kind]?.remember ?? unlessGiven.remember,
          keepMs: days === undefined ? unlessGiven.keepMs : days * dayMs,
          readers: kinds[kind]?.readers ?? unlessGiven.readers,
        },
      ];
    }),
  ) as unknown as Remembrance;
}
