/** Arguments laid out for reading: all of them, each with its name; nothing is cut short, because it is what is approved. */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from "../../kernel/index.ts";
import { type Html, html, shown } from "./html.ts";

export function argumentsView(args: JsonObject): Html {
  return Object.keys(args).length === 0
    ? html`<p class="quiet">No arguments.</p>`
    : html`<div class="card">${valueView(args)}</div>
<details><summary>The same as JSON</summary><pre>${shown(JSON.stringify(args, null, 2))}</pre></details>`;
}

function valueView(value: JsonValue): Html {
  if (isJsonArray(value))
    return value.length === 0
      ? html`<span class="json">[]</span>`
      : html`<ol>${value.map((item) => html`<li>${valueView(item)}</li>`)}</ol>`;
  if (isJsonObject(value)) {
    const entries = Object.entries(value);
    return entries.length === 0
      ? html`<span class="json">{}</span>`
      : html`<dl>${entries.map(([name, item]) => html`<dt>${shown(name)}</dt><dd>${valueView(item)}</dd>`)}</dl>`;
  }
  if (value === "") return html`<span class="quiet">(empty text)</span>`;
  // A text that could be taken for a number or a word of JSON says that it is one.
  return typeof value === "string" && !/^(?:-?[\d.]+(?:e[-+]?\d+)?|true|false|null)$/i.test(value)
    ? html`<span class="value">${shown(value)}</span>`
    : html`<span class="json">${shown(JSON.stringify(value))}</span>`;
}
