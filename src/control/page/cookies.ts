/** Cookies of the approval page. Over https they carry the prefix that keeps sister domains from planting one. */
import { headerIn, type WebRequest } from "../web.ts";

export interface CookieJar {
  /** The value; undefined when absent, or sent twice. */
  read(request: WebRequest, name: string): string | undefined;
  /** A `Set-Cookie` value; RFC 6265bis. `value` is visible ASCII without `;`. */
  set(name: string, value: string, secondsMax: number): string;
  clear(name: string): string;
}

/** `url`: the address browsers use; without https a cookie cannot be kept to https. */
export function cookieJar(url: string): CookieJar {
  const isEncrypted = url.startsWith("https:");
  const named = (name: string): string => `${isEncrypted ? "__Host-" : ""}holdfast-${name}`;
  const attributes = `Path=/; HttpOnly; SameSite=Lax${isEncrypted ? "; Secure" : ""}`;
  const set = (name: string, value: string, secondsMax: number): string =>
    `${named(name)}=${value}; Max-Age=${secondsMax}; ${attributes}`;
  return {
    read: (request, name) => {
      const pairs = (headerIn(request, "cookie") ?? "").split(";").map((pair) => pair.trim());
      const start = `${named(name)}=`;
      const found = pairs.filter((pair) => pair.startsWith(start));
      return found.length === 1 ? found[0]?.slice(start.length) : undefined;
    },
    set,
    clear: (name) => set(name, "", 0),
  };
}
