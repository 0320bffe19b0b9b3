/** One thing that speaks for a change or against it; no reason: nothing that is worth saying. */
export interface Part {
  readonly nats: number;
  readonly reason: string;
}
