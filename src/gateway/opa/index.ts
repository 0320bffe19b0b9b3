export { dataPath, type OpaApi, opaApi } from "./data-api.ts";
