/** `host:port`, with the host of an IPv6 address in brackets. */
export function addressIn(
  text: string,
  portDefault?: number,
): { readonly host: string; readonly port: number } {
  if (typeof text !== "string") throw new Error("an address is host:port");
  const [, bracketed, plain, written] =
    /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = written === undefined ? portDefault : Number(written);
  if (host === undefined || port === undefined || port < 1 || port > 65_535)
    throw new Error(`${JSON.stringify(text)} is no host:port`);
  return { host, port };
}
