/**
 * Preloaded into a gateway (`node --import …`) to measure what durability costs: files are written, and nothing waits for the
 * disk. Nothing in the product can do this; it is what a record that is not durable would be.
 */
import { constants, promises } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { fileURLToPath } from "node:url";

const open = promises.open;
const handle = await open(fileURLToPath(import.meta.url));
const prototype = Object.getPrototypeOf(handle) as typeof handle;
await handle.close();

prototype.sync = async () => undefined;
prototype.datasync = async () => undefined;
promises.open = (path, flags, mode) =>
  open(path, typeof flags === "number" ? flags & ~constants.O_DSYNC : flags, mode);
syncBuiltinESMExports();
