/**
 * What a cluster is told, as manifests: an admission policy that refuses an agent's pod without its gateway (Kubernetes,
 * ValidatingAdmissionPolicy), and what the controller of the readiness gate may do. Pure.
 */

/** The condition that pods of agents wait for (Kubernetes, pod readiness gates). Absent is False. */
export const readinessCondition = "holdfast.dev/validated";
/** What says that a pod is an agent's. */
export const agentLabel = "holdfast.dev/agent";

export interface AdmissionPlan {
  /** Where agents run. */
  readonly namespace: string;
  /** `sha256:<hex>` of the images of the gateway that are allowed. */
  readonly gatewayImages: readonly string[];
}

/** Each expression must hold, or the pod is not admitted; `message` is what its author sees. */
export function admissionRules({ gatewayImages }: AdmissionPlan): readonly {
  readonly expression: string;
  readonly message: string;
}[] {
  const images = gatewayImages.map((digest) => `c.image.endsWith("@${digest}")`).join(" || ");
  const inContainers = `object.spec.containers.exists(c, ${images})`;
  // A sidecar of its own kind: an init container that goes on running.
  const asSidecar = `(has(object.spec.initContainers) && object.spec.initContainers.exists(c, has(c.restartPolicy) && c.restartPolicy == "Always" && (${images})))`;
  return [
    {
      expression: `${inContainers} || ${asSidecar}`,
      message:
        "an agent runs only beside its gateway, whose image is one that the manifest names by digest",
    },
    {
      expression: `has(object.spec.readinessGates) && object.spec.readinessGates.exists(g, g.conditionType == "${readinessCondition}")`,
      message: `an agent waits for its site: spec.readinessGates must hold ${readinessCondition}`,
    },
  ];
}

/** YAML of everything, to be applied as it is. */
export function kubernetesManifests(plan: AdmissionPlan): string {
  const validations = admissionRules(plan).map(
    ({ expression, message }) =>
      `  - expression: ${JSON.stringify(expression)}\n    message: ${JSON.stringify(message)}`,
  );
  return `# A pod of an agent names itself by the label ${agentLabel}: "true".
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: holdfast-agents
spec:
  # An expression that cannot be evaluated refuses.
  failurePolicy: Fail
  matchConstraints:
    resourceRules:
    - apiGroups: [""]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [pods]
    objectSelector:
      matchLabels: { ${agentLabel}: "true" }
  validations:
${validations.join("\n")}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: holdfast-agents
spec:
  policyName: holdfast-agents
  validationActions: [Deny, Audit]
  matchResources:
    namespaceSelector:
      matchLabels: { kubernetes.io/metadata.name: ${plan.namespace} }
---
# What the guard may do to set the condition ${readinessCondition}.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: holdfast-guard
  namespace: ${plan.namespace}
rules:
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [""]
  resources: [pods/status]
  verbs: [patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: holdfast-guard
  namespace: ${plan.namespace}
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: holdfast-guard }
subjects:
- { kind: ServiceAccount, name: holdfast-guard, namespace: ${plan.namespace} }
`;
}
