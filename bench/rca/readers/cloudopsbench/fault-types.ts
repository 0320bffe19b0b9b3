/** The engine's kinds of cause and the set's names of fault types. */
import type { CauseKind } from "../../../../src/model/index.ts";

const names: Readonly<Partial<Record<CauseKind, string>>> = {
  "quota.cpu": "namespace_cpu_quota_exceeded",
  "quota.memory": "namespace_memory_quota_exceeded",
  "quota.pods": "namespace_pod_quota_exceeded",
  "quota.services": "namespace_service_quota_exceeded",
  "quota.storage": "namespace_storage_quota_exceeded",
  "identity.service_account": "missing_service_account",
  "schedule.cordoned": "node_cordon_mismatch",
  "schedule.node_affinity": "node_affinity_mismatch",
  "schedule.node_selector": "node_selector_mismatch",
  "schedule.anti_affinity": "pod_anti_affinity_conflict",
  "schedule.taint": "taint_toleration_mismatch",
  "schedule.cpu": "cpu_capacity_mismatch",
  "schedule.memory": "memory_capacity_mismatch",
  "schedule.replicas_zero": "deployment_zero_replicas",
  "host.runtime": "containerd_unavailable",
  "host.kubelet": "kubelet_unavailable",
  "host.proxy": "kube_proxy_unavailable",
  "host.scheduler": "kube_scheduler_unavailable",
  "image.registry_dns": "image_registry_dns_failure",
  "image.reference": "incorrect_image_reference",
  "image.pull_secret": "missing_image_pull_secret",
  "volume.selector": "pvc_selector_mismatch",
  "volume.storage_class": "pvc_storage_class_mismatch",
  "volume.access_mode": "pvc_access_mode_mismatch",
  "volume.capacity": "pvc_capacity_mismatch",
  "volume.occupied": "pv_binding_occupied",
  "volume.permission": "volume_mount_permission_denied",
  "compute.memory": "oom_killed",
  "compute.cpu": "pod_cpu_overload",
  "probe.liveness_protocol": "liveness_probe_incorrect_protocol",
  "probe.liveness_port": "liveness_probe_incorrect_port",
  "probe.liveness_timing": "liveness_probe_incorrect_timing",
  "probe.readiness_protocol": "readiness_probe_incorrect_protocol",
  "probe.readiness_port": "readiness_probe_incorrect_port",
  "routing.selector": "service_selector_mismatch",
  "routing.port": "service_port_mapping_mismatch",
  "routing.protocol": "service_protocol_mismatch",
  "routing.address": "service_env_var_address_mismatch",
  "routing.gateway": "gateway_misroute",
  "network.port_conflict": "service_sidecar_port_conflict",
  "network.dns": "service_dns_resolution_failure",
  "secret.missing": "missing_secret_binding",
  "database.credentials": "mysql_invalid_credentials",
  "database.port": "mysql_invalid_port",
  "database.connections": "db_connection_exhaustion",
  "database.read_only": "db_read_only",
};

/** The set tells a delay or a loss on a machine from one at a pod. */
export function faultType(kind: CauseKind, object: string): string | undefined {
  const isHost = object.startsWith("node/");
  if (kind === "network.delay") return isHost ? "node_network_delay" : "pod_network_delay";
  if (kind === "network.loss") return isHost ? "node_network_packet_loss" : "pod_network_delay";
  return names[kind];
}

const kindsOfHosts: Readonly<Record<string, CauseKind>> = {
  node_network_delay: "network.delay",
  pod_network_delay: "network.delay",
  node_network_packet_loss: "network.loss",
};

export function causeKindOf(type: string): CauseKind | undefined {
  const [kind] = Object.entries(names).find(([, name]) => name === type) ?? [];
  return (kind as CauseKind | undefined) ?? kindsOfHosts[type];
}
