export {
  type ChangeType,
  type ClusterListener,
  ClusterWatch,
  type WatchedPlace,
  type WatchedScope,
} from "./cluster-watch.ts";
