export { SimClock } from "./clock.ts";
export { type DiskFault, type DiskOperation, type FaultPlan, SimDisk } from "./disk.ts";
export { Random, simEntropy } from "./random.ts";
export { simSigner } from "./signer.ts";
