/** What customers see. */
import { serve } from "./service.ts";

serve("frontend", {
  "GET /products": async (shop) => {
    await shop.work(2);
    return await shop.call("catalogue", "GET", "/items", shop.defaults.callTimeoutMs);
  },
  "GET /cart": async (shop) => {
    await shop.work(2);
    return await shop.call("cart", "GET", "/content", shop.defaults.callTimeoutMs);
  },
  "POST /checkout": async (shop, query) => {
    await shop.work(3);
    const content = await shop.call("cart", "GET", "/content", shop.defaults.callTimeoutMs);
    await shop.call("payment", "POST", `/charge?${query}`, shop.defaults.callTimeoutMs);
    await shop.call("worker", "POST", "/orders", shop.defaults.callTimeoutMs);
    return { ordered: content };
  },
});
