/** The parts of the approval page that a browser cannot show quickly: sessions that end, cookies, escaping, spans of time. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { html, shown } from "../../../src/control/page/html.ts";
import { cookieJar, Sessions } from "../../../src/control/page/index.ts";
import { agoText, spanText } from "../../../src/control/page/times.ts";
import { Random } from "../../../src/sim/index.ts";

const person = { issuer: "i", subject: "s", emailVerified: false };

function sessions(lastMs: number): { all: Sessions; wait: (ms: number) => void } {
  const now = { ms: 0 };
  const clock = { monotonicMs: () => now.ms, wallMs: () => 0, sleep: async () => undefined };
  const random = new Random(1);
  return {
    all: new Sessions(clock, { bytes: (count) => random.bytes(count) }, lastMs),
    wait: (ms) => {
      now.ms += ms;
    },
  };
}

test("a session ends after its time, and when it is ended", () => {
  const { all, wait } = sessions(1_000);
  const [first, second] = [all.begin(person), all.begin(person)];
  expect(first).not.toBe(second);
  expect(all.find(first)?.formToken).not.toBe(all.find(second)?.formToken);
  all.end(second);
  wait(999);
  expect([all.find(first)?.person, all.find(second)]).toEqual([person, undefined]);
  wait(1);
  expect(all.find(first)).toBeUndefined();
  for (const none of [undefined, "", "x"]) expect(all.find(none)).toBeUndefined();
});

test("however many sign in, the oldest make room", () => {
  const { all } = sessions(1_000);
  const cookies = Array.from({ length: 10_002 }, () => all.begin(person));
  const found = [cookies[0], cookies[1], cookies[2], cookies.at(-1)].map((each) => all.find(each));
  expect(found.map((each) => each !== undefined)).toEqual([false, false, true, true]);
});

test("over https a cookie is this host's alone, and one that is sent twice is none", () => {
  const jar = cookieJar("https://approve.test");
  expect(jar.set("session", "v", 60)).toBe(
    "__Host-holdfast-session=v; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure",
  );
  const read = (...cookie: string[]): string | undefined =>
    jar.read(
      { ...{ method: "GET", path: "/", query: "", body: new Uint8Array() }, headers: { cookie } },
      "session",
    );
  expect(read("a=b; __Host-holdfast-session=v")).toBe("v");
  expect(read("holdfast-session=v")).toBeUndefined();
  expect(read("__Host-holdfast-session=v; __Host-holdfast-session=w")).toBeUndefined();
  expect(read("__Host-holdfast-session=v", "__Host-holdfast-session=v")).toBeUndefined();
});

test("theorem: no text becomes markup, and no character that is not seen is left unnamed", () => {
  const hostile = fc.string({
    unit: fc.constantFrom(..."<>&\"'a\n\u202e\u200b\u00ad\u3164\ufe0f\u0000"),
  });
  fc.assert(
    fc.property(hostile, (text) => {
      const { markup } = html`<p title="${text}">${text}</p>`;
      expect(markup.match(/[<>"]/g)?.join("")).toBe('<""><>');
      const named = shown(text).markup;
      expect(named).not.toMatch(/[\u202e\u200b\u00ad\u3164\0]|\ufe0f/);
      const words = named.replaceAll(/<mark title="unseen character">U\+[\dA-F]{4,6}<\/mark>/g, "");
      expect(words).not.toMatch(/[<>"']/);
      expect([...named.matchAll(/U\+/g)]).toHaveLength(
        [...text].filter((each) => !"<>&\"'a\n".includes(each)).length,
      );
    }),
  );
});

test("spans are told in one unit, and never longer than they are", () => {
  expect([0, 999, 1_000, 61_000, 119_999, 7_200_000, 172_800_000, -5].map(spanText)).toEqual([
    ...["0 seconds", "0 seconds", "1 second", "1 minute", "1 minute", "2 hours", "2 days"],
    "0 seconds",
  ]);
  expect([agoText(0, 500), agoText(0, 60_000)]).toEqual(["just now", "1 minute ago"]);
});
