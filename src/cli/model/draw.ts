/**
 * `holdfast model draw <node>`: what is around a node at a moment, as a picture. Exit codes: 0; 2 wrong usage, a node of
 * which nothing is known then, or a file that cannot be written.
 */
import { err, ok, type Result } from "../../kernel/index.ts";
import { type Graph, pictureOfView, readSymptom } from "../../model/index.ts";
import type { CommandOutput } from "../policy-knowledge.ts";
import { laterKnown, readMoments } from "./moment.ts";
import { formatOf, writePicture } from "./show-picture.ts";

export interface DrawOptions {
  readonly at?: string;
  readonly knownAt?: string;
  readonly depth: string;
  readonly format?: string;
  readonly output?: string;
}

const depthMax = 6;
const nodesMax = 60;

export async function draw(
  { graph, nowMs }: { readonly graph: Graph; readonly nowMs: number },
  name: string,
  options: DrawOptions,
  io: CommandOutput,
): Promise<number> {
  const done = await drawn({ graph, nowMs }, name, options, io);
  if (done.ok) return 0;
  io.err(`error: ${done.error}`);
  return 2;
}

async function drawn(
  { graph, nowMs }: { readonly graph: Graph; readonly nowMs: number },
  name: string,
  options: DrawOptions,
  io: CommandOutput,
): Promise<Result<void, string>> {
  const moments = readMoments(options, nowMs);
  if (!moments.ok) return moments;
  const note = laterKnown(graph, moments.value);
  if (note !== undefined) io.err(`note: ${note}`);
  const depth = Number(options.depth);
  if (!Number.isInteger(depth) || depth < 1 || depth > depthMax)
    return err(`--depth: 1 to ${depthMax}, not \`${options.depth}\``);
  const format = formatOf(options.format, options.output);
  if (!format.ok) return format;
  const view = graph.asOf(moments.value.atMs, moments.value.knownAtMs);
  const meant = readSymptom(name, view.validAt, view);
  if (!meant.ok) return meant;
  if (meant.value.node === undefined) return err(`\`${name}\` names no node`);
  const picture = pictureOfView(view, meant.value.node, { depth, countMax: nodesMax });
  const written = await writePicture(picture, format.value, options.output, io);
  if (written.ok && picture.omitted > 0)
    io.err(`${picture.omitted} nodes farther away are not drawn; --depth makes it smaller`);
  return written.ok ? ok(undefined) : written;
}
