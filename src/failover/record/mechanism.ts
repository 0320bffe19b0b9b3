/**
 * What moves traffic to a site, by the names that records, reports and hooks use (AG-403 4.6). Whoever uses another
 * orchestrator gives its own name: a failover is never refused for what it is called.
 */
export const mechanisms = {
  start: "the deployment starts; its primary acts first",
  recovery: "a site that was blocked, or had lost its verdict or its lease, is validated again",
  lease: "the acting site fell silent, and the next candidate takes its lease",
  manual: "people move it: disaster recovery",
  maintenance: "people move it as planned, and the source stands down",
  "blue-green": "a deployment switches to its other half",
  patroni: "a database is about to be promoted",
  haproxy: "a load balancer's own hook",
  dns: "a name is pointed elsewhere",
  kubernetes: "workloads move to another cluster",
  drill: "a drill moves it there, or back",
} as const;

export type Mechanism = keyof typeof mechanisms;
