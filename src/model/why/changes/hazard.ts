/**
 * What trouble of a kind comes of: words of the trouble, and words of the code or the settings whose loss or arrival is
 * known to bring it. Of programming in general; the words of one application belong to no row.
 */
interface Hazard {
  readonly trouble: RegExp;
  readonly change: ReadonlySet<string>;
}

const hazard = (trouble: RegExp, change: string): Hazard => ({
  trouble,
  change: new Set(change.split(" ")),
});

const hazards: readonly Hazard[] = [
  hazard(
    /concurrent|race|deadlock|lock wait|data race/i,
    "mutex lock unlock rwmutex sync synchroniz atomic semaphore mu",
  ),
  hazard(
    /out of memory|oom|heap|gc |rss|memory/i,
    "cache append buffer pool history accumulate limit evict max size close defer retain batch",
  ),
  hazard(
    /slow query|query latency|full scan|rows examined|db_/i,
    "limit index where join order offset select preload page",
  ),
  hazard(
    /timed? ?out|deadline|latency|slow/i,
    "timeout deadline retry backoff pool concurrency limit batch parallel cache index sleep",
  ),
  hazard(
    /token|jwt|unauthori|forbidden|401|403|signature|session/i,
    "leeway skew expiry expire exp audience issuer token secret key clock verify claim scope",
  ),
  hazard(
    /no space|disk|volume|inode/i,
    "level sample rate retention rotate rotation debug maxsize ttl compress",
  ),
  hazard(
    /deserializ|unmarshal|decode|parse|schema|missing required|unknown field/i,
    "field json schema required proto rename metadata tag version format",
  ),
  hazard(
    /does not exist|no such (?:table|column)|undefined (?:table|column)|relation/i,
    "table column migration select insert schema execute query",
  ),
  hazard(
    /not found|unregistered|unknown|no handler|404/i,
    "register route handler bootstrap init mount load wire provide",
  ),
  hazard(
    /panic|nil pointer|null|undefined is not|typeerror|index out of range/i,
    "nil null check guard optional default init bound length",
  ),
  hazard(
    /too many (?:connections|open files)|pool exhausted|connection pool/i,
    "pool connection max idle close defer release conn",
  ),
  hazard(
    /rate limit|too many requests|429|throttl/i,
    "retry rate limit backoff interval concurrency batch burst",
  ),
  hazard(
    /duplicate|conflict|incompatible|version/i,
    "version upgrade runtime pin protobuf require",
  ),
  hazard(
    /crash ?loop|startup|failed to start|restart/i,
    "init startup env config require version flag port bootstrap",
  ),
];

/** Words of the change that this kind of trouble comes of. */
export function hazardWords(trouble: string, words: readonly string[]): readonly string[] {
  const rows = hazards.filter((row) => row.trouble.test(trouble));
  return words.filter((word) => rows.some(({ change }) => change.has(word)));
}
