export { type OidcClient, oidcSignIn } from "./sign-in.ts";
