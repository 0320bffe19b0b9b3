/** The examples in the C2SP specifications: notes, checkpoints, proofs, tile paths, read by the audit room. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  openNote,
  parseCheckpointText,
  parseProof,
  parseVkey,
  tilePath,
} from "../../src/audit/index.ts";
import { parseNote } from "../../src/audit/note.ts";
import { type Case, declined, failed, passed, refused, type VectorSet } from "./case.ts";

export const c2spExamples: VectorSet = {
  name: "c2sp-examples",
  path: "c2sp-specs",
  source: "the examples in the specifications of github.com/C2SP/C2SP",
  run: (path) =>
    globSync("*.md", { cwd: path })
      .sort()
      .flatMap((file) => fileCases(file, readFileSync(join(path, file), "utf8"))),
};

function fileCases(file: string, text: string): Case[] {
  const vkeys = text.match(/(?<=^ {4})\S+\+[0-9a-f]{8}\+\S+$/gm) ?? [];
  const blocks = [...text.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  const notes = blocks.filter((block) => /^— /m.test(block));
  return [
    ...notes.flatMap((block, i) => exampleCases(`${file} ${i + 1}`, block, vkeys)),
    // "For example, 1234067 will be encoded as x001/x234/067."
    ...[...text.matchAll(/(\d{7,}) (?:is|will be) encoded as\s+`([^`]+)`/g)].map(
      ([, index = "", name = ""]) => tileCase(`${file} ${name}`, Number(index), name),
    ),
  ];
}

function exampleCases(id: string, block: string, vkeys: readonly string[]): Case[] {
  if (block.startsWith("c2sp.org/tlog-proof")) return [proofCase(id, block)];
  // An ellipsis stands for most of a signature.
  if (block.includes("[...]")) return [declined(id, "elided")];
  const note = parseNote(block);
  if (!note.ok) return [failed(id, note.error)];
  const isCheckpoint = /^\d+$/m.test(note.value.text);
  const checkpoint = isCheckpoint ? parseCheckpointText(note.value.text) : undefined;
  if (checkpoint?.ok === false) return [failed(id, checkpoint.error)];
  return [passed(id), ...vkeys.flatMap((vkey) => signedCases(id, block, vkey))];
}

/** Under the key of the specification the note opens, and no note that differs in one character does. */
function signedCases(id: string, block: string, vkey: string): Case[] {
  const verifier = parseVkey(vkey);
  if (!verifier.ok) return [failed(`${id} key`, verifier.error)];
  if (!block.includes(`— ${verifier.value.name} `)) return [];
  const opened = openNote(block, verifier.value);
  const taken = Array.from(block, (_, at) => at).filter((at) => {
    const changed = String.fromCharCode(block.charCodeAt(at) ^ 1);
    return openNote(block.slice(0, at) + changed + block.slice(at + 1), verifier.value).ok;
  });
  return [
    opened.ok ? passed(`${id} signed`) : failed(`${id} signed`, opened.error),
    taken.length === 0
      ? refused(`${id} edited`)
      : failed(`${id} edited`, `an edit at character ${taken[0]} is not seen`),
  ];
}

function proofCase(id: string, block: string): Case {
  const proof = parseProof(block);
  if (!proof.ok) return failed(id, proof.error);
  const { index, proof: hashes, extra } = proof.value;
  const whole = index === Number(/^index (\d+)$/m.exec(block)?.[1]) && extra !== undefined;
  return whole && hashes.length > 0 ? passed(id) : failed(id, "something of it is not read");
}

function tileCase(id: string, index: number, name: string): Case {
  const path = tilePath({ level: 0, index, width: 256 });
  return path === `tile/0/${name}` ? passed(id) : failed(id, `is ${path}`);
}
