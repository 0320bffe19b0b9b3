/** A thread that evaluates users' own Rego. It may be ended at any moment: nothing in it is worth keeping. */
import { parentPort } from "node:worker_threads";
import type { RegoModule } from "../../policy/index.ts";
import type { FromWorker, Inspected, Job, Told, ToWorker } from "./messages.ts";
import { WasmPolicy } from "./wasm-policy.ts";

interface Loaded {
  readonly module: WebAssembly.Module;
  readonly data: Uint8Array;
  /** One for each size of memory that conditions ask for. */
  readonly policies: Map<number, WasmPolicy>;
}

const inspectMemoryMiB = 256;
const loaded = new Map<string, Loaded>();

function compiled({ wasm, data }: RegoModule): Loaded {
  const module = new WebAssembly.Module(Uint8Array.from(wasm));
  return { module, data, policies: new Map() };
}

function done(job: Job): Told {
  switch (job.kind) {
    case "load":
      if (!loaded.has(job.digest)) loaded.set(job.digest, compiled(job.module));
      return {};
    case "forget":
      loaded.delete(job.digest);
      return {};
    case "inspect": {
      const { module, data } = compiled(job.module);
      const { entrypoints, builtins } = new WasmPolicy(module, data, inspectMemoryMiB);
      const inspected: Inspected = { entrypoints, builtins };
      return { value: JSON.stringify(inspected) };
    }
    case "ask": {
      const value = evaluate(job);
      return value === undefined ? {} : { value };
    }
  }
}

function evaluate({ digest, memoryMiBMax, ...ask }: Extract<Job, { kind: "ask" }>) {
  const module = loaded.get(digest);
  if (module === undefined) throw new Error(`the module ${digest} is not loaded`);
  const { policies } = module;
  const policy =
    policies.get(memoryMiBMax) ?? new WasmPolicy(module.module, module.data, memoryMiBMax);
  // Put back only after it went well: a policy that trapped may hold anything.
  policies.delete(memoryMiBMax);
  const value = policy.evaluate(ask.entrypoint, ask.input);
  policies.set(memoryMiBMax, policy);
  return value;
}

function told(job: Job): Told {
  try {
    return done(job);
  } catch (thrown) {
    return { why: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

parentPort?.on("message", ({ id, ...job }: ToWorker) => {
  const answer: FromWorker = { ...told(job as Job), id };
  parentPort?.postMessage(answer);
});
