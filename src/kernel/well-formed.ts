/** ES2024 `String.prototype.isWellFormed`, which the ES2023 library types do not have yet. */
interface Es2024String {
  isWellFormed(): boolean;
}

/** False when `text` has a surrogate without its other half: such a string has no UTF-8 form. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as Es2024String).isWellFormed();
}
