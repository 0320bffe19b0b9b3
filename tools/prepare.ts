/**
 * Makes what the tests run available: programs of Debian packages that the machine lacks are unpacked into
 * `.cache/tools/`, without installing anything; the agent examples get their packages. Run again, it does nothing.
 */
import { spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { env, exit } from "node:process";
import { installAgentExamples } from "./agent-examples.ts";

interface Tool {
  readonly program: string;
  readonly debianPackage: string;
  /** Where the package keeps it. */
  readonly path: string;
  /** Libraries the program needs that a small system may lack. */
  readonly libraries?: readonly string[];
  readonly why: string;
}

const tools: readonly Tool[] = [
  {
    program: "promtool",
    debianPackage: "prometheus",
    path: "usr/bin/promtool",
    why: "checks the text of /metrics",
  },
  {
    program: "strace",
    debianPackage: "strace",
    path: "usr/bin/strace",
    libraries: ["libunwind8"],
    why: "shows that a decision is durable before its call is forwarded",
  },
  {
    program: "faketime",
    debianPackage: "faketime",
    path: "usr/bin/faketime",
    libraries: ["libfaketime"],
    why: "sets the clock of one gateway while it runs",
  },
  {
    program: "chronyd",
    debianPackage: "chrony",
    path: "usr/sbin/chronyd",
    libraries: ["libnettle8", "libgnutls30", "libseccomp2"],
    why: "tells the time over NTP",
  },
  {
    program: "kubectl",
    debianPackage: "kubernetes-client",
    path: "usr/bin/kubectl",
    why: "judges the stand-in for a Kubernetes API",
  },
];

interface Installed {
  readonly program: string;
  /** Where Debian keeps it, when that is no place on PATH; `*` for a version. */
  readonly place?: string;
  readonly packages: readonly string[];
  readonly why: string;
}

const installed: readonly Installed[] = [
  {
    program: "go",
    packages: ["golang-go", "golang-golang-x-mod-dev"],
    why: "verifies our log with code that is not ours",
  },
  {
    program: "postgres",
    place: "/usr/lib/postgresql/*/bin/postgres",
    packages: ["postgresql", "postgresql-15-wal2json"],
    why: "keeps the state that gateways share, and carries what is audited further",
  },
  {
    program: "etcd",
    packages: ["etcd-server"],
    why: "keeps the leases of sites",
  },
  {
    program: "named",
    place: "/usr/sbin/named",
    packages: ["bind9", "bind9-dnsutils"],
    why: "answers where agents find their gateway",
  },
  {
    program: "pdns_server",
    place: "/usr/sbin/pdns_server",
    packages: ["pdns-server", "pdns-backend-bind"],
    why: "shows what name servers do that decide by themselves",
  },
  {
    program: "haproxy",
    place: "/usr/sbin/haproxy",
    packages: ["haproxy"],
    why: "sends traffic to the site that may act",
  },
  {
    program: "nginx",
    place: "/usr/sbin/nginx",
    packages: ["nginx-light"],
    why: "asks the gate before each request",
  },
  {
    program: "patroni",
    place: "/usr/bin/patroni",
    packages: ["patroni", "python3-etcd", "postgresql-15", "postgresql-15-wal2json"],
    why: "moves a database to another node",
  },
  {
    program: "nft",
    place: "/usr/sbin/nft",
    packages: ["nftables", "iproute2"],
    why: "cuts networks between hosts of a test",
  },
  {
    program: "openssl",
    packages: ["openssl"],
    why: "makes the certificates that are looked at",
  },
  {
    program: "curl",
    packages: ["curl"],
    why: "makes the requests that the docs show",
  },
  {
    program: "chromium-headless-shell",
    packages: ["chromium-headless-shell"],
    why: "opens the approval page as people do",
  },
];

const cache = resolve(import.meta.dirname, "../.cache/tools");

/** The program on PATH or in the cache; undefined when it is in neither. */
function find({ program, path }: Tool): string | undefined {
  const places = [
    ...(env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, program)),
    join(cache, path),
  ];
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function run(command: string, args: readonly string[], cwd: string): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status === 0) return undefined;
  return `${command} ${args.join(" ")}: ${error?.message ?? stderr.trim().split("\n").at(-1)}`;
}

/** `apt-get download` and `dpkg -x`; package lists are fetched once when the first try fails. */
function unpack(debianPackage: string): string | undefined {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "download-"));
  try {
    if (run("apt-get", ["download", debianPackage], folder) !== undefined) {
      run("apt-get", ["update"], folder);
      const failed = run("apt-get", ["download", debianPackage], folder);
      if (failed !== undefined) return failed;
    }
    const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
    if (file === undefined) return `apt-get download ${debianPackage} left no package file`;
    const unpacked = join(folder, "root");
    return run("dpkg", ["-x", file, unpacked], folder) ?? adopt(unpacked);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Moves every unpacked file to its place in the cache; each appears there whole or not at all. */
function adopt(unpacked: string): undefined {
  for (const entry of readdirSync(unpacked, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const from = join(entry.parentPath, entry.name);
    const folder = join(cache, entry.parentPath.slice(unpacked.length));
    mkdirSync(folder, { recursive: true });
    renameSync(from, join(folder, entry.name));
  }
  return undefined;
}

function prepare(tool: Tool): boolean {
  const found = find(tool);
  if (found !== undefined) {
    console.log(`prepare: ${tool.program}: ${found}`);
    return true;
  }
  console.log(`prepare: ${tool.program}: unpacking the Debian package ${tool.debianPackage} …`);
  for (const name of [tool.debianPackage, ...(tool.libraries ?? [])]) {
    const failed = unpack(name);
    if (failed === undefined) continue;
    console.error(
      `prepare: ${tool.program} is missing (it ${tool.why}).\n  ${failed}\n  Install the package ${name} and run again.`,
    );
    return false;
  }
  const place = join(cache, tool.path);
  console.log(`prepare: ${tool.program}: ${place}`);
  return existsSync(place);
}

/** Toolchains are too spread out to unpack: Debian's own installation, as root. */
function install({ program, place, packages, why }: Installed): boolean {
  const found =
    place === undefined
      ? find({ program, debianPackage: "", path: program, why })
      : globSync(place)[0];
  if (found !== undefined && packages.every(isInstalled)) {
    console.log(`prepare: ${program}: ${found}`);
    return true;
  }
  console.log(`prepare: ${program}: installing ${packages.join(", ")} …`);
  const args = ["install", "-y", "-qq", "--no-install-recommends", ...packages];
  let failed = run("apt-get", args, "/");
  if (failed !== undefined) {
    run("apt-get", ["update", "-qq"], "/");
    failed = run("apt-get", args, "/");
  }
  if (failed === undefined) return true;
  console.error(
    `prepare: ${program} is missing (it ${why}).\n  ${failed}\n  Install ${packages.join(" and ")} and run again.`,
  );
  return false;
}

function isInstalled(debianPackage: string): boolean {
  const { stdout } = spawnSync(
    "dpkg-query",
    ["-W", "-f", "\u0024{db:Status-Status}", debianPackage],
    {
      encoding: "utf8",
    },
  );
  return stdout === "installed";
}

const ready = [...tools.map(prepare), ...installed.map(install), installAgentExamples()];
exit(ready.every(Boolean) ? 0 : 1);
