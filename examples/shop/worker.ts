/** Sends orders to the warehouse. */
import { serve } from "./service.ts";

serve("worker", {
  "POST /orders": async (shop) => {
    await shop.work(3);
    return { accepted: true };
  },
});
