export { type KeyFileError, openSigner } from "./file-signer.ts";
