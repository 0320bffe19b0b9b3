/** Lines of text in columns. What comes from outside may hold terminal control characters; they are shown as �. */
export function tableLines(rows: readonly (readonly string[])[]): readonly string[] {
  const clean = rows.map((cells) => cells.map((cell) => cell.replace(/\p{C}/gu, "�")));
  const [header = []] = clean;
  const widths = header.map((_, column) =>
    clean.reduce((widest, cells) => Math.max(widest, cells[column]?.length ?? 0), 0),
  );
  return clean.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
