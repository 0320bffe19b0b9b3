import type { Reader } from "../reader.ts";
import { cloudOpsBench } from "./cloudopsbench/index.ts";
import { nezha } from "./nezha.ts";
import { petshop } from "./petshop.ts";
import { rootCauseBench } from "./rootcausebench/index.ts";
import { sockshopRcd } from "./sockshop-rcd.ts";

/** The sets that can be read, by the name `--set` knows them by. */
export const readers: Readonly<Record<string, Reader>> = {
  "nezha-onlineboutique": nezha,
  "nezha-trainticket": nezha,
  petshop,
  cloudopsbench: cloudOpsBench,
  rootcausebench: rootCauseBench,
  "sockshop-rcd": sockshopRcd,
};
