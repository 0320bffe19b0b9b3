export { type Said, SimChannel } from "./channel.ts";
export type { Violation } from "./checks.ts";
export { SimClock } from "./clock.ts";
export { type DiskFault, type DiskOperation, type FaultPlan, SimDisk } from "./disk.ts";
export { FaultCounts } from "./faults.ts";
export type { Plant } from "./gateway.ts";
export {
  noPeerFaults,
  type PeerFaults,
  type SimLineAnswer,
  SimLinePeers,
  type SimLinePeersOptions,
  type SimProgram,
} from "./line-peers.ts";
export {
  type Delivery,
  JournalingUpstream,
  type NetworkFaults,
  noNetworkFaults,
  type SimAnswer,
  SimNetwork,
  type SimNetworkOptions,
  type SimUpstream,
} from "./network.ts";
export { plants } from "./plants.ts";
export {
  SimProbe,
  type SimProbeAnswer,
  type SimProbeFaults,
  type SimProbeScript,
  seededProbe,
} from "./probe.ts";
export { Random, simEntropy } from "./random.ts";
export { simSigner } from "./signer.ts";
export { noStoreFaults, SimDatabase, type StoreFaults } from "./store.ts";
export {
  type CountedLabels,
  type LoggedLine,
  type RecordingLog,
  type RecordingTelemetry,
  recordingLog,
  recordingTelemetry,
} from "./telemetry.ts";
export { unlimited } from "./unlimited.ts";
export { simulate, type WorldOptions, type WorldReport } from "./world.ts";
