/** Charges cards at the bank. */
import { serve } from "./service.ts";

serve("payment", {
  "POST /charge": async (shop, query) => {
    await shop.work(5);
    const currency = new URLSearchParams(query).get("currency");
    // Release 1.8.0 looks a currency up before it is known.
    if (shop.version === "1.8.0" && currency === null)
      throw new TypeError("Cannot read properties of null (reading 'toUpperCase')");
    return await shop.call("bank", "POST", "/authorise", shop.defaults.callTimeoutMs);
  },
});
