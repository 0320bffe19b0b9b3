/** The style of the approval page: system fonts, one column, light and dark, large enough for tired eyes on a phone. */
export const style = `
:root { color-scheme: light dark; --ink: #1b1f24; --quiet: #57606a; --paper: #fff; --card: #f6f8fa; --line: #d0d7de;
  --link: #0550ae; --yes: #116329; --no: #a40e26; --warn: #7d4e00; --warn-paper: #fff8c5; --on: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9aa4af; --paper: #0d1117; --card: #161b22;
  --line: #3d444d; --link: #79c0ff; --yes: #2ea043; --no: #f85149; --warn: #f2cc60; --warn-paper: #2b2410; --on: #0d1117; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 1rem 1rem 4rem; background: var(--paper); color: var(--ink);
  font: 1.0625rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between;
  border-bottom: 1px solid var(--line); padding-bottom: .5rem; }
header form { margin: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.25rem 0 .5rem; }
h2 { font-size: 1.125rem; margin: 1.75rem 0 .5rem; }
a { color: var(--link); }
code, pre, .json { font-family: ui-monospace, monospace; font-size: .95em; }
.quiet { color: var(--quiet); }
.tags { display: flex; flex-wrap: wrap; gap: .5rem; margin: .5rem 0; padding: 0; list-style: none; }
.tags li { border: 1px solid var(--line); border-radius: 1rem; padding: .1rem .75rem; background: var(--card); }
.tags .critical, .tags .high { border-color: var(--no); color: var(--no); font-weight: 600; }
.card, .notice { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0;
  background: var(--card); }
.notice { border-color: var(--warn); background: var(--warn-paper); color: var(--warn); }
.notice.bad { border-color: var(--no); color: var(--no); background: var(--card); }
dl { margin: 0; }
dt { color: var(--quiet); font-size: .95rem; }
dd { margin: 0 0 .5rem; }
dd dl, dd ol { border-left: 2px solid var(--line); padding-left: .75rem; margin: .25rem 0; }
dd ol { padding-left: 2rem; }
.value { white-space: pre-wrap; }
mark { background: var(--no); color: var(--on); border-radius: .25rem; padding: 0 .25rem; font-size: .8em; }
pre { white-space: pre-wrap; }
ul.list { list-style: none; padding: 0; }
label { display: block; font-weight: 600; margin-bottom: .25rem; }
textarea { width: 100%; min-height: 5rem; font: inherit; color: inherit; background: var(--paper);
  border: 1px solid var(--quiet); border-radius: .375rem; padding: .5rem; }
button { font: inherit; font-weight: 600; min-height: 3rem; min-width: 8rem; padding: .5rem 1.25rem; cursor: pointer;
  border: 2px solid currentColor; border-radius: .5rem; background: transparent; color: var(--ink); }
header button { min-height: 2rem; min-width: 0; padding: .1rem .75rem; border-width: 1px; }
.answers { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: 1rem; }
.answers button { flex: 1; }
.answers .yes { background: var(--yes); border-color: var(--yes); color: var(--on); }
.answers .no { color: var(--no); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
`;
