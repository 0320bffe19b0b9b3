export { openSigner } from "./file-signer.ts";
