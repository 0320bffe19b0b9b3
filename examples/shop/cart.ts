/** What somebody is about to buy, at today's prices. */
import { serve } from "./service.ts";

serve("cart", {
  "GET /content": async (shop) => {
    await shop.work(4);
    const prices = await shop.call("catalogue", "GET", "/items", shop.defaults.catalogueTimeoutMs);
    // Discounts are worked out for every combination of items; there are more of them than somebody thought.
    if (shop.flags["bundle-discounts"] === true) await shop.work(350);
    return prices;
  },
});
