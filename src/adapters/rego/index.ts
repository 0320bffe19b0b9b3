export { type RegoArchive, readRegoBundles } from "./bundles.ts";
export { RegoThreads } from "./threads.ts";
