/** The map in `map.ts` is the architecture. A room imports only what its row names, and only by the front door. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { edgesOf, importsOf, roomOf, sourceFiles } from "../../tools/house-imports.ts";
import { packages, rooms } from "./map.ts";

const files = sourceFiles();
const imports = importsOf(files);
const edges = edgesOf(imports);

const packageOf = (name: string): string =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

test("the map covers every room and nothing else", () => {
  expect([...new Set(files.map(roomOf))].sort()).toEqual(Object.keys(rooms).sort());
});

test("imports follow the map and point inward", () => {
  const trespasses = edges.filter(({ from, to }) => {
    const [a, b] = [roomOf(from), roomOf(to)];
    return a !== b && !rooms[a]?.mayImport.includes(b);
  });
  expect(trespasses).toEqual([]);
  for (const room of Object.values(rooms))
    for (const other of room.mayImport) expect(rooms[other]?.ring).toBeLessThanOrEqual(room.ring);
});

test("rooms are entered by the front door; an adapter folder too", () => {
  const windows = edges.filter(({ from, to }) => {
    const [a, b] = [roomOf(from), roomOf(to)];
    if (b === "adapters") {
      const folder = (path: string): string => path.split("/").slice(0, 3).join("/");
      return folder(from) !== folder(to) && !to.endsWith("/index.ts");
    }
    return a !== b && b !== "ports" && to !== `src/${b}/index.ts`;
  });
  expect(windows).toEqual([]);
});

test("ring 1 is pure: node:crypto only, and no globals of time, chance or the world", () => {
  const pure = files.filter((file) => rooms[roomOf(file)]?.ring === 1 || roomOf(file) === "kernel");
  const nodeImports = imports.filter(
    ({ from, to }) => pure.includes(from) && to.startsWith("node:") && to !== "node:crypto",
  );
  expect(nodeImports).toEqual([]);
  const impure =
    /\b(?:new Date|Date\.now|Math\.random|setTimeout|setInterval|performance\.now|process\.|fetch\()/;
  const offenders = pure.filter((file) =>
    impure.test(readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")),
  );
  expect(offenders).toEqual([]);
});

test("only adapters, cli, sim and main touch node:*; ring 2 works through ports", () => {
  const direct = imports.filter(
    ({ from, to }) =>
      rooms[roomOf(from)]?.ring === 2 && to.startsWith("node:") && to !== "node:crypto",
  );
  expect(direct).toEqual([]);
});

test("each npm package is imported in its one place, and each place on the map exists", () => {
  const strays = imports
    .filter(({ to }) => !(to.startsWith(".") || to.startsWith("node:")))
    .filter(({ from, to }) => !from.startsWith(packages[packageOf(to)] ?? "nowhere"));
  expect(strays).toEqual([]);
  expect(Object.values(packages).filter((place) => !existsSync(place))).toEqual([]);
});
