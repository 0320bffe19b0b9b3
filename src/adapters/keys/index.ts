export { openBundleKey } from "./bundle-key.ts";
export { openSigner } from "./file-signer.ts";
