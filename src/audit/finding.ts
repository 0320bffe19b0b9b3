/** What a verification can find. */

export type FindingCode =
  /** A file that the signed tree needs is not there. */
  | "missing_file"
  /** The log's own newest checkpoint is absent, malformed, or not signed by the key. */
  | "bad_checkpoint"
  /** An entry is not the one whose hash the tree holds. */
  | "entry_differs"
  /** A tile above the leaves is not the one its entries make. */
  | "tile_differs"
  /** The entries do not have the root that was signed. */
  | "root_differs"
  /** The journal is damaged, or does not continue the log. */
  | "journal_differs"
  /** A checkpoint or receipt kept elsewhere covers more entries than the log has. */
  | "rolled_back"
  /** A checkpoint or receipt kept elsewhere has another root at its size. */
  | "forked"
  /** An entry is malformed, or its content in `blobs/` is missing or changed. */
  | "bad_entry"
  /** A start entry does not continue the log that precedes it. */
  | "bad_start"
  /** An older policy bundle decided after a newer one. */
  | "policy_rolled_back"
  /** Entries contradict one another about a call. */
  | "call_order"
  /** A file cannot be read, or evidence handed in proves nothing. */
  | "unreadable"
  /** Worth knowing; nothing is wrong. */
  | "torn_tail";

export interface Finding {
  readonly severity: "tampered" | "unreadable" | "note";
  readonly code: FindingCode;
  /** The entry concerned, or the first of them. */
  readonly index?: number;
  /** What is wrong and where. */
  readonly message: string;
  /** What to do. */
  readonly action: string;
}

const actions: Readonly<Record<FindingCode, string>> = {
  missing_file: "restore the file from a copy; the signed root tells whether it is the right one",
  bad_checkpoint: "check that this is the right key; otherwise restore the file from a copy",
  entry_differs: "treat the entry as forged; restore its bundle from a copy",
  tile_differs: "restore the tile from a copy, or rebuild it from the entries",
  root_differs: "compare with a copy; no entry in the range can be relied on",
  journal_differs: "keep the folder as it is and compare with a copy",
  rolled_back: "entries were removed after they were signed: find who can write the folder",
  forked: "two histories were signed: find who has the key, and keep both",
  bad_entry: "restore `blobs/` from a copy; otherwise the writer was not Holdfast",
  bad_start: "entries before it were replaced, or the writer was not Holdfast",
  policy_rolled_back: "the writer was not Holdfast: no gateway takes a bundle older than its last",
  call_order: "look at the call with `holdfast audit show --call`",
  unreadable: "check the path and its permissions, and give evidence signed by this key",
  torn_tail: "nothing: nobody was told that it was recorded",
};

export function finding(
  code: FindingCode,
  message: string,
  index?: number,
  severity: Finding["severity"] = code === "torn_tail"
    ? "note"
    : code === "unreadable"
      ? "unreadable"
      : "tampered",
): Finding {
  return {
    severity,
    code,
    message,
    action: actions[code],
    ...(index === undefined ? {} : { index }),
  };
}
