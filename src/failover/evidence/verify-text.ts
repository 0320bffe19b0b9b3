/** How to check a pack without us: part of every pack, so never changed without a new format. */
export const verifyText = `# How to verify this pack

You need the key of whoever made it, from them and not from this pack: a text \`name+id+base64\`.

With Holdfast: \`holdfast failover evidence verify pack.tar --key <key>\`.

Without it, any program that knows SHA-256 and Ed25519 can do the same:

1. The archive is a plain tar of regular files. A path stands there once, and every file but \`pack.json\` is in its list.
2. \`pack.json\` is a DSSE envelope: \`payload\` is base64, \`sig\` an Ed25519 signature over
   \`DSSEv1 <bytes of type> <type> <bytes of payload> <payload>\`. Of the key, the last part is base64 of one byte \`01\` and the
   32 bytes of the public key. The type is \`application/vnd.holdfast.evidence-pack.v1+json\`.
3. Its payload lists \`files\`: for each path its size and \`sha256:<hex>\`. All must be so.
4. Everything else that is signed is signed by a key in \`keys/\`, which the list covers: \`manifests/*.json\` and
   \`drills/*.json\` are DSSE envelopes of the types \`application/vnd.holdfast.manifest.v1+json\` and
   \`application/vnd.holdfast.drill.v1+json\`.
5. \`logs/<name>/\` is a log in the format of c2sp.org/tlog-tiles: its \`checkpoint\` is a signed note, its root the Merkle
   root (RFC 6962) of the entries in \`tile/entries/\`.
6. \`first_index\` and \`last_index\` of each record, and \`log_index\` of each journal, are below the size of a log here.
7. \`grt.json\` repeats \`grt_ms\` and \`rto_ms\` of the records, and nothing else.

What a pack cannot show: that nothing was left out of it. For that, compare the checkpoints with copies kept elsewhere.
`;
