import type { Reader } from "../reader.ts";
import { sockshopRcd } from "./sockshop-rcd.ts";

/** The sets that can be read, by the name `--set` knows them by. */
export const readers: Readonly<Record<string, Reader>> = { "sockshop-rcd": sockshopRcd };
