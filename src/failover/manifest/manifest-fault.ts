/** What is wrong with a manifest, or worth knowing before one relies on it. */
export interface ManifestFault {
  /** An error keeps the manifest from being used; a warning is named and does not. */
  readonly severity: "error" | "warning";
  /** Stable, for machines: `class-missing`, `dependency-cycle`, … */
  readonly code: string;
  /** Where, from the root inward: keys, and indexes as text. */
  readonly path: readonly string[];
  readonly message: string;
  readonly hint?: string;
  /** The word that is not known, and those that are. */
  readonly word?: { readonly said: string; readonly known: readonly string[] };
}

export function fault(
  code: string,
  path: readonly (string | number)[],
  message: string,
  more: Pick<ManifestFault, "hint" | "word"> = {},
): ManifestFault {
  return { severity: "error", code, path: path.map(String), message, ...more };
}

export function warning(
  code: string,
  path: readonly (string | number)[],
  message: string,
  more: Pick<ManifestFault, "hint" | "word"> = {},
): ManifestFault {
  return { severity: "warning", code, path: path.map(String), message, ...more };
}

/** Every item whose name an earlier one has. */
export function repeated<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  path: readonly string[],
  key: string,
  what: string,
): readonly ManifestFault[] {
  const seen = new Set<string>();
  return items.flatMap((item, at) => {
    const name = nameOf(item);
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [fault("repeated", [...path, at, key], `the ${what} ${name} is listed twice`)];
  });
}
