// Verifies an evidence pack with Go's standard library alone; shares no code with Holdfast. VERIFY.md of a pack is the
// specification. Usage: verify-evidence <pack.tar> <key>
package main

import (
	"archive/tar"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"
	"strings"
)

func need(ok bool, format string, args ...any) {
	if !ok {
		log.Fatalf(format, args...)
	}
}

type key struct {
	name, id string
	public   ed25519.PublicKey
}

func readKey(vkey string) key {
	parts := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	need(len(parts) == 3, "%q is no key", vkey)
	raw, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	need(err == nil && len(raw) == 33 && raw[0] == 1, "%q is no Ed25519 key", vkey)
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), raw...))
	need(hex.EncodeToString(sum[:4]) == parts[1], "%q has the id of another key", vkey)
	return key{parts[0], parts[1], raw[1:]}
}

// open returns the payload of a DSSE envelope that one of the keys signed.
func open(envelope []byte, payloadType string, keys []key) []byte {
	var e struct {
		Payload, PayloadType string
		Signatures           []struct{ Keyid, Sig string }
	}
	need(json.Unmarshal(envelope, &e) == nil, "not an envelope")
	need(e.PayloadType == payloadType, "an envelope of %q, not %q", e.PayloadType, payloadType)
	payload, err := base64.StdEncoding.Strict().DecodeString(e.Payload)
	need(err == nil, "its payload is not base64")
	message := []byte(fmt.Sprintf("DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload))
	for _, signature := range e.Signatures {
		sig, _ := base64.StdEncoding.Strict().DecodeString(signature.Sig)
		for _, k := range keys {
			if ed25519.Verify(k.public, message, sig) {
				return payload
			}
		}
	}
	log.Fatalf("an envelope of %s is signed by none of the keys", payloadType)
	return nil
}

func node(left, right []byte) []byte {
	sum := sha256.Sum256(append(append([]byte{1}, left...), right...))
	return sum[:]
}

// root is the Merkle tree hash of RFC 6962.
func root(leaves [][]byte) []byte {
	if len(leaves) == 1 {
		return leaves[0]
	}
	split := 1
	for split*2 < len(leaves) {
		split *= 2
	}
	return node(root(leaves[:split]), root(leaves[split:]))
}

// logSize checks the signed checkpoint of a log against its entries.
func logSize(files map[string][]byte, folder string, k key) int {
	text, signatures, found := strings.Cut(string(files[folder+"checkpoint"]), "\n\n")
	need(found, "%scheckpoint is no signed note", folder)
	line := strings.TrimSuffix(strings.TrimPrefix(signatures, "— "+k.name+" "), "\n")
	raw, err := base64.StdEncoding.Strict().DecodeString(line)
	need(err == nil && len(raw) == 68 && ed25519.Verify(k.public, []byte(text+"\n"), raw[4:]), "%scheckpoint is not signed", folder)
	lines := strings.Split(text, "\n")
	need(len(lines) == 3 && lines[0] == k.name, "%scheckpoint is of another log", folder)
	size, err := strconv.Atoi(lines[1])
	need(err == nil && size > 0, "%scheckpoint has no size", folder)
	var leaves [][]byte
	for at := 0; at < size; at += 256 {
		need(at < 256000, "a log of over 256,000 entries is too large for this small program")
		path := fmt.Sprintf("%stile/entries/%03d", folder, at/256)
		if size-at < 256 {
			path += fmt.Sprintf(".p/%d", size-at)
		}
		for bundle := files[path]; len(bundle) > 0; {
			need(len(bundle) >= 2, "%s is cut", path)
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			need(len(bundle) >= end, "%s is cut", path)
			sum := sha256.Sum256(append([]byte{0}, bundle[2:end]...))
			leaves = append(leaves, sum[:])
			bundle = bundle[end:]
		}
	}
	need(len(leaves) == size, "%s has %d entries, its checkpoint says %d", folder, len(leaves), size)
	need(base64.StdEncoding.EncodeToString(root(leaves)) == lines[2], "%s has another root than its checkpoint", folder)
	return size
}

func readTar(path string) map[string][]byte {
	file, err := os.Open(path)
	need(err == nil, "%v", err)
	files := map[string][]byte{}
	for reader := tar.NewReader(file); ; {
		header, err := reader.Next()
		if err == io.EOF {
			return files
		}
		need(err == nil, "not a tar: %v", err)
		_, twice := files[header.Name]
		need(header.Typeflag == tar.TypeReg && !twice, "%s is no plain file, or stands there twice", header.Name)
		files[header.Name], err = io.ReadAll(reader)
		need(err == nil, "%s: %v", header.Name, err)
	}
}

type record struct {
	Failover, Initiated string
	Grt_ms, Rto_ms      *json.Number
	Last_index          int
}

func (r record) times() string {
	text, _ := json.Marshal([]any{r.Initiated, r.Grt_ms, r.Rto_ms})
	return string(text)
}

func main() {
	files := readTar(os.Args[1])
	var index struct {
		Format string
		Files  []struct {
			Path, Digest string
			Bytes        int
		}
	}
	payload := open(files["pack.json"], "application/vnd.holdfast.evidence-pack.v1+json", []key{readKey(os.Args[2])})
	need(json.Unmarshal(payload, &index) == nil && index.Format == "holdfast.evidence-pack/v1", "an unknown format")
	listed := map[string]bool{"pack.json": true}
	for _, f := range index.Files {
		bytes, there := files[f.Path]
		sum := sha256.Sum256(bytes)
		need(there && !listed[f.Path], "%s is missing, or listed twice", f.Path)
		need(len(bytes) == f.Bytes && f.Digest == "sha256:"+hex.EncodeToString(sum[:]), "%s was changed", f.Path)
		listed[f.Path] = true
	}
	var keys []key
	byName := map[string]key{}
	for path, bytes := range files {
		need(listed[path], "%s is not in the list", path)
		if strings.HasPrefix(path, "keys/") {
			k := readKey(string(bytes))
			keys, byName[strings.TrimSuffix(path[5:], ".vkey")] = append(keys, k), k
		}
	}
	size := 0
	for path := range files {
		if parts := strings.Split(path, "/"); parts[0] == "logs" && parts[2] == "checkpoint" {
			k, known := byName[parts[1]]
			need(known, "the log %s has no key", parts[1])
			if n := logSize(files, "logs/"+parts[1]+"/", k); n > size {
				size = n
			}
		} else if parts[0] == "logs" {
			need(len(files["logs/"+parts[1]+"/checkpoint"]) > 0, "the log %s has no checkpoint", parts[1])
		}
	}
	measured := map[string]string{}
	for path, content := range files {
		switch folder, _, _ := strings.Cut(path, "/"); folder {
		case "manifests":
			open(content, "application/vnd.holdfast.manifest.v1+json", keys)
		case "drills":
			var journal struct{ Holdfast struct{ Log_index *int } }
			need(json.Unmarshal(open(content, "application/vnd.holdfast.drill.v1+json", keys), &journal) == nil, "%s", path)
			at := journal.Holdfast.Log_index
			need(at == nil || *at < size, "%s stands in no log here", path)
		case "records":
			var r record
			need(json.NewDecoder(bytes.NewReader(content)).Decode(&r) == nil && r.Last_index < size, "%s stands in no log here", path)
			measured[r.Failover] = r.times()
		}
	}
	var series []record
	need(json.Unmarshal(files["grt.json"], &series) == nil && len(series) == len(measured), "grt.json has other failovers")
	for _, point := range series {
		need(measured[point.Failover] == point.times(), "grt.json differs from the record of %s", point.Failover)
	}
	fmt.Printf("verified: %d files, %d failovers, %d log entries\n", len(files), len(measured), size)
}
