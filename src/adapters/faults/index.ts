export {
  type Done,
  emptyFolder,
  type FaultSignal,
  fillFolder,
  freeBytes,
  processState,
  removeFile,
  replaceFile,
  restoreFile,
  signalProcess,
  signals,
  startProcess,
} from "./faults.ts";
