/**
 * Which workloads are told to run which service, at whatever moment, by number; kept beside the edges, so that a service of
 * many callers is asked cheaply.
 */
const none: ReadonlySet<number> = new Set();

export class Running {
  readonly #services = new Map<number, Set<number>>();
  readonly #workloads = new Map<number, Set<number>>();

  add(workload: number, service: number): void {
    put(this.#services, workload, service);
    put(this.#workloads, service, workload);
  }

  servicesOf(workload: number): ReadonlySet<number> {
    return this.#services.get(workload) ?? none;
  }

  workloadsOf(service: number): ReadonlySet<number> {
    return this.#workloads.get(service) ?? none;
  }
}

function put(sets: Map<number, Set<number>>, key: number, value: number): void {
  const set = sets.get(key);
  if (set === undefined) sets.set(key, new Set([value]));
  else set.add(value);
}
