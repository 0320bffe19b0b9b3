/** What BIND needs so that one key, and nothing else, may write one name (BIND 9, "Dynamic Update Policies"). Pure. */
export interface SteeredZone {
  readonly zone: string;
  readonly name: string;
  readonly keyName: string;
}

export function bindConfiguration({ zone, name, keyName }: SteeredZone): string {
  return `# The secret is made by: tsig-keygen -a hmac-sha256 ${keyName}
include "/etc/bind/${keyName}.key";

zone "${zone}" {
    type primary;
    file "/var/lib/bind/${zone}.zone";
    # One key, one name, three types: who else may write the name could point it at a site that may not act.
    update-policy { grant ${keyName} name ${absolute(name)} A AAAA TXT; };
    # A secondary answers what it has: with notify it follows within a second, without within the refresh time.
    notify yes;
};

# In the zone. The TTL bounds for how long resolvers send agents where the name pointed before; keep it below the verdict's
# lifetime. Until the first verdict the name points at the sinkhole, which answers 503.
# ${absolute(name)} 5 IN A <address of the sinkhole>
`;
}

function absolute(name: string): string {
  return name.endsWith(".") ? name : `${name}.`;
}
