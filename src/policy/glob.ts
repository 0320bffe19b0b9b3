/** Names in `match`: every character stands for itself, `*` for any run of characters, also an empty one. */
export function globMatcher(pattern: string): (name: string) => boolean {
  const [head = "", ...rest] = pattern.split("*");
  const tail = rest.pop();
  if (tail === undefined) return (name) => name === pattern;
  return (name) => {
    if (name.length < head.length + tail.length) return false;
    if (!name.startsWith(head) || !name.endsWith(tail)) return false;
    const end = name.length - tail.length;
    let from = head.length;
    for (const part of rest) {
      const at = name.indexOf(part, from);
      if (at < 0 || at + part.length > end) return false;
      from = at + part.length;
    }
    return true;
  };
}

/** True when `name` fits any of the patterns, or when there are none to fit. */
export function anyGlob(patterns: readonly string[] | undefined): (name: string) => boolean {
  if (patterns === undefined) return () => true;
  const matchers = patterns.map(globMatcher);
  return (name) => matchers.some((fits) => fits(name));
}
