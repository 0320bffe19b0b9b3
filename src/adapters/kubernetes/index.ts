export { KubernetesApi, type KubernetesError, type KubernetesServer } from "./api.ts";
export {
  type AdmissionPlan,
  admissionRules,
  agentLabel,
  kubernetesManifests,
  readinessCondition,
} from "./manifests.ts";
export {
  convergeReadiness,
  type ReadinessGateParts,
  runReadinessGate,
  type SiteReadiness,
} from "./readiness-gate.ts";
