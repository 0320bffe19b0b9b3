export type {
  DraftComponent,
  FoundInfrastructure,
  FoundPart,
  FoundSite,
  InfrastructureFile,
  InfrastructureKind,
  Place,
} from "./found.ts";
export { kindOf, readInfrastructure } from "./read.ts";
