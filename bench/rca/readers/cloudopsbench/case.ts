/** One case as it is published: what `kubectl`, `systemctl`, a log and an alert summary printed. */
export interface CloudOpsCase {
  readonly id: string;
  readonly system: string;
  readonly namespace: string;
  readonly query: string;
  readonly k8s: {
    readonly list: Readonly<Record<string, string>>;
    readonly labels?: Readonly<Record<string, string>>;
    readonly describe: Readonly<Record<string, Readonly<Record<string, string>>>>;
  };
  readonly appYaml: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly errorLogs: Readonly<Record<string, unknown>>;
  readonly connectivity: Readonly<Record<string, string>>;
  readonly nodeServices: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly alerts?: unknown;
  readonly metricsCsv?: string;
}
