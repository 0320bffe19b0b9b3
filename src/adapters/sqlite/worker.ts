/** The thread that owns the embedded database, so that no fsync ever holds up a decision. */
import { parentPort, workerData } from "node:worker_threads";
import { Database } from "./database.ts";
import type { Ask, Envelope, Told } from "./messages.ts";

const opened = Database.open(String(workerData));
parentPort?.postMessage(opened.ok ? null : opened.error);
parentPort?.on("message", ({ id, body }: Envelope<Ask>) => {
  if (!opened.ok) return;
  if (body.ask === "close") {
    opened.value.close();
    parentPort?.close();
    return;
  }
  const told: Envelope<Told> = { id, body: opened.value.answer(body) };
  parentPort?.postMessage(told);
});
