/** Sock Shop as measured for root cause discovery: a metric of a service a column, once a second, before and after a fault. */
import { join } from "node:path";
import type { NodeId, Series, Signal } from "../../../src/model/index.ts";
import { nodeId } from "../../../src/model/index.ts";
import { caseIds, readJson } from "../files.ts";
import type { Incident, Reader } from "../reader.ts";
import { byServiceName } from "./service-ranking.ts";

type Columns = Readonly<Record<string, readonly number[]>>;

const signalOf: Readonly<Record<string, Signal>> = {
  cpu: "cpu",
  mem: "memory",
  lod: "requests",
  lat_50: "latency",
  lat_90: "latency",
  lat_99: "latency",
};

export const sockshopRcd: Reader = (folder) => ({
  ids: caseIds(folder),
  read: (id) => incidentOf(id, readJson(join(folder, "cases", `${id}.json`))),
  ...byServiceName(({ name }) => name),
});

function incidentOf(id: string, file: { normal: Columns; incident: Columns }): Incident {
  const at = (file.incident["time"]?.[0] ?? 0) * 1000;
  const names = Object.keys(file.normal).filter((column) => column !== "time");
  return {
    id,
    symptom: { at },
    events: names.map((column) => seriesOf(id, column, file, at)),
    // The set cuts its files where the fault began.
    settings: { lookbackMs: 1 },
  };
}

/** Times are rounded to hours in the files; there is a row each second. */
function seriesOf(
  id: string,
  column: string,
  { normal, incident }: { normal: Columns; incident: Columns },
  onsetAt: number,
): Series {
  const [service = "", ...metric] = column.split("_");
  const signal = signalOf[metric.join("_")] ?? "other";
  const before = normal[column] ?? [];
  const points = [...before, ...(incident[column] ?? [])].map(
    (value, row) =>
      [onsetAt + (row - before.length) * 1000, value * (signal === "cpu" ? 0.01 : 1)] as const,
  );
  const at = points[0]?.[0] ?? 0;
  return {
    type: "series",
    id: `${id} ${column}`,
    at,
    knownAt: at,
    origin: { source: "sockshop-rcd", reference: `${id}.json#${column}` },
    node: nodeOf(service),
    signal,
    name: column,
    points,
  };
}

function nodeOf(name: string): NodeId {
  if (name.endsWith("-db")) return nodeId("database", name);
  return nodeId(name === "rabbitmq" ? "queue" : "service", name);
}
