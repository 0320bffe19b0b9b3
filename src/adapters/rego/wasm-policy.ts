/**
 * A policy that `opa build -t wasm` made, by OPA's WebAssembly ABI 1.2 (OPA docs, "WebAssembly"): one call evaluates one
 * entrypoint. No function of the host is given to it but the one it aborts with, so it has no time, no chance and no
 * network: the same input has the same value.
 */

/** What went wrong inside the module. */
export class RegoTrap extends Error {
  override readonly name = "RegoTrap";
}

interface Exports {
  readonly opa_eval: (...values: number[]) => number;
  readonly opa_json_parse: (address: number, length: number) => number;
  readonly opa_json_dump: (value: number) => number;
  readonly opa_malloc: (bytes: number) => number;
  readonly opa_heap_ptr_get: () => number;
  readonly entrypoints: () => number;
  readonly builtins: () => number;
  readonly opa_wasm_abi_version?: WebAssembly.Global;
  readonly opa_wasm_abi_minor_version?: WebAssembly.Global;
}

const pageBytes = 65_536;
/** What a module of OPA's declares is less. */
const pagesAtFirst = 16;
const resultBytesMax = 64 * 1024;

export class WasmPolicy {
  readonly #memory: WebAssembly.Memory;
  readonly #exports: Exports;
  readonly #heapStart: number;
  readonly #data: number;
  readonly #entrypoints: ReadonlyMap<string, number>;

  /** Throws for what is no such module, and when `data` does not fit into the memory. */
  constructor(module: WebAssembly.Module, data: Uint8Array, memoryMiBMax: number) {
    const maximum = (memoryMiBMax * 1024 * 1024) / pageBytes;
    this.#memory = new WebAssembly.Memory({ initial: Math.min(pagesAtFirst, maximum), maximum });
    const refuse = (): never => {
      throw new RegoTrap("it called a builtin that is not part of it");
    };
    const abort = (address: number): never => {
      throw new RegoTrap(this.#text(address));
    };
    const env = { memory: this.#memory, opa_abort: abort, opa_println: () => undefined };
    const builtins = Object.fromEntries([0, 1, 2, 3, 4].map((n) => [`opa_builtin${n}`, refuse]));
    const instance = new WebAssembly.Instance(module, { env: { ...env, ...builtins } });
    this.#exports = instance.exports as unknown as Exports;
    this.#checkVersion();
    this.#data = this.#parsed(data);
    this.#entrypoints = new Map(Object.entries(this.#json(this.#exports.entrypoints())));
    this.#heapStart = this.#exports.opa_heap_ptr_get();
  }

  get entrypoints(): readonly string[] {
    return [...this.#entrypoints.keys()].sort();
  }

  /** Builtins that the host would have to bring. */
  get builtins(): readonly string[] {
    return Object.keys(this.#json(this.#exports.builtins())).sort();
  }

  /** The value as JSON text; undefined when the entrypoint has none. After a throw the policy is not to be used again. */
  evaluate(entrypoint: string, input: Uint8Array): string | undefined {
    const id = this.#entrypoints.get(entrypoint);
    if (id === undefined) throw new RegoTrap(`it has no entrypoint ${entrypoint}`);
    const end = this.#heapStart + input.length;
    this.#reach(end);
    new Uint8Array(this.#memory.buffer).set(input, this.#heapStart);
    const place = [this.#data, this.#heapStart, input.length, end] as const;
    const address = this.#exports.opa_eval(0, id, ...place, 0);
    // A set of results, each `{"result": value}`; an undefined document has none.
    return /^\[\{"result":(.*)\}\]$/s.exec(this.#text(address))?.[1];
  }

  #checkVersion(): void {
    const { opa_wasm_abi_version: major, opa_wasm_abi_minor_version: minor } = this.#exports;
    if (major?.value !== 1 || Number(minor?.value) < 2)
      throw new RegoTrap("it is no policy of OPA's WebAssembly ABI 1.2 or a later 1.x");
  }

  #parsed(json: Uint8Array): number {
    const address = this.#exports.opa_malloc(json.length);
    new Uint8Array(this.#memory.buffer).set(json, address);
    const value = this.#exports.opa_json_parse(address, json.length);
    if (value === 0) throw new RegoTrap("its data is not JSON");
    return value;
  }

  #json(value: number): Record<string, number> {
    return JSON.parse(this.#text(this.#exports.opa_json_dump(value))) as Record<string, number>;
  }

  /** Up to the zero byte. */
  #text(address: number): string {
    const bytes = new Uint8Array(this.#memory.buffer, address);
    const end = bytes.indexOf(0);
    if (end < 0 || end > resultBytesMax)
      throw new RegoTrap(`its result is over ${resultBytesMax} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end));
  }

  #reach(end: number): void {
    const missing = end - this.#memory.buffer.byteLength;
    // Throws a RangeError beyond the maximum.
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
  }
}
