export { openBundleKey } from "./bundle-key.ts";
export { openSigner } from "./file-signer.ts";
export type { KeyFileError } from "./pem-file.ts";
