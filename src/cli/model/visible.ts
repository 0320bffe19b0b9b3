/** One line for a terminal, of text that may come from anywhere: what cannot be seen is shown as �. */
export function visible(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "�");
}
