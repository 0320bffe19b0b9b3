/** A picture as a Mermaid flowchart, for a review or a ticket. */
import type { Emphasis, Picture, PictureNode } from "./picture.ts";

const styles: Readonly<Record<Emphasis, string>> = {
  cause: "fill:#fde2e1,stroke:#b42318,stroke-width:3px,color:#1f1f1f",
  change: "fill:#fff3d6,stroke:#b54708,stroke-width:2px,color:#1f1f1f",
  symptom: "fill:#e6effd,stroke:#175cd3,stroke-width:3px,color:#1f1f1f",
  path: "fill:#f6f6f6,stroke:#555555,stroke-width:2px,color:#1f1f1f",
  context: "fill:#ffffff,stroke:#aaaaaa,color:#1f1f1f",
};

/** Nodes are numbered, so that a name can hold anything; names are written as entities, so that none ends its label. */
export function mermaidOf(picture: Picture): string {
  const numbers = new Map(picture.nodes.map(({ id }, place) => [id, `n${place}`]));
  const lines = ["flowchart LR"];
  for (const node of picture.nodes)
    lines.push(`  ${numbers.get(node.id)}["${label(node)}"]:::${node.emphasis}`);
  for (const edge of picture.edges) {
    const arrow = edge.isOnPath ? "==>" : "-.->";
    lines.push(
      `  ${numbers.get(edge.from)} ${arrow}|"${entities(edge.kind)}"| ${numbers.get(edge.to)}`,
    );
  }
  const used = new Set(picture.nodes.map(({ emphasis }) => emphasis));
  for (const emphasis of used) lines.push(`  classDef ${emphasis} ${styles[emphasis]}`);
  return `%% ${plain(picture.title)}, ${picture.moment}\n${lines.join("\n")}\n`;
}

function label({ kind, name, note }: PictureNode): string {
  const below = note === "" ? "" : `<br/><small>${entities(note)}</small>`;
  return `<small>${kind}</small><br/><b>${entities(name)}</b>${below}`;
}

/** Mermaid reads `#35;` as the character of that number; letters, digits and plain marks stay readable. */
function entities(text: string): string {
  return [...text]
    .map((character) =>
      /[\p{L}\p{N} .,:/()%_+-]/u.test(character) ? character : `#${character.codePointAt(0)};`,
    )
    .join("");
}

/** A comment ends with its line. */
function plain(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, " ");
}
