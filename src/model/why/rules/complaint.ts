/** Who is complained about: by an alert, or in the logs of those who call it. */
import type { NodeId } from "../../graph-words.ts";
import { splitNodeId } from "../../graph-words.ts";
import type { Cluster } from "./cluster.ts";

const failing =
  /refused|unavailable|timed? ?out|deadline|unreachable|no route|reset by peer|connection error|no such host|unknown host|50[234]\b|failed to connect|not known/i;

/** Whether an alert names the service, or a caller's log has an error with its name in it. */
export function isComplainedAbout(cluster: Cluster, service: NodeId | undefined): boolean {
  if (service === undefined) return false;
  if (cluster.alerts(service).length > 0) return true;
  const name = splitNodeId(service)?.name ?? "";
  return cluster.callers(service).some((caller) => {
    const workload = cluster.workloadOf(caller);
    const logs = workload === undefined ? [] : cluster.logs(workload);
    return logs.some(({ example }) => example.includes(name) && failing.test(example));
  });
}
