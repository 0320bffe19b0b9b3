export { EtcdStore } from "./store.ts";
