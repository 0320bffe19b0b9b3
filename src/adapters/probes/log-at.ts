/** The files of a log behind an address, as tlog-tiles serves them. */
import type { LogFiles } from "../../audit/index.ts";
import { err, ok } from "../../kernel/index.ts";
import type { Asking } from "./asking.ts";
import { exchange } from "./request.ts";

export function logAt(asking: Asking, url: string): LogFiles {
  const base = url.replace(/\/$/, "");
  return {
    read: async (path) => {
      const sent = await exchange(asking, { url: `${base}/${path}` });
      if (!sent.ok) return err({ kind: "failed", code: sent.error, path });
      const { status, bytes } = sent.value;
      if (status === 200) return ok(bytes);
      return err({ kind: status === 404 ? "not_found" : "failed", code: `status ${status}`, path });
    },
    // Addresses list nothing; what is asked for has a name.
    list: () => Promise.resolve(ok([])),
  };
}
