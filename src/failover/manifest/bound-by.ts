/** How firmly the answer to a verification is bound to the site that it is asked for. */
import type { Binding, Verification } from "./verification.ts";

/**
 * `echo` where the answer itself names site and nonce, or where the guard looks at its own machine and nobody else can
 * answer. `address` where only the address that was asked says who answered.
 */
export function boundBy(verification: Verification): Binding {
  switch (verification.kind) {
    case "http":
    case "exec":
      return verification.binding;
    case "audit_canary":
    case "negative_canary":
    case "kill_switch_canary":
    case "escalation_echo":
    case "parity":
    case "files":
    case "clock":
      return "echo";
    default:
      return "address";
  }
}

/** Whether it exercises the function itself, instead of asking whether it feels well. */
export function isActive(verification: Verification): boolean {
  switch (verification.kind) {
    case "audit_canary":
    case "cdc_canary":
    case "negative_canary":
    case "kill_switch_canary":
    case "escalation_echo":
    case "signature":
      return true;
    case "exec":
      return verification.binding === "echo";
    case "http":
      return verification.binding === "echo" && verification.method === "POST";
    default:
      return false;
  }
}

/** The addresses it asks; none where a secret or the machine itself says where. */
export function addressesOf(verification: Verification): readonly string[] {
  switch (verification.kind) {
    case "http":
      return [verification.url];
    case "grpc_health":
    case "tcp":
    case "tls":
      return [verification.address];
    case "kubernetes":
      return [verification.api_url];
    default:
      return [];
  }
}
