/** What can be bought. */
import { serve } from "./service.ts";

const items = ["tea", "kettle", "cup"].map((name, at) => ({ name, cents: 499 + at * 1_000 }));

serve("catalogue", {
  "GET /items": async (shop) => {
    await shop.work(25);
    return { items };
  },
});
