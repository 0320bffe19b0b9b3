/** What every process of Holdfast does alike. */

/** A sentence for the operator, and the exit code that goes with it. */
export function complain(
  process_: "gateway" | "control" | "guard" | "mcp wrap",
  sentence: string,
): 1 {
  process.stderr.write(`holdfast ${process_}: ${sentence}\n`);
  return 1;
}

/** Resolves when this process is asked to stop. */
export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
}
