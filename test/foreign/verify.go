// Verifies a log with golang.org/x/mod/sumdb, which shares no code with Holdfast.
// Usage: verify <folder> <vkey>, or verify -receipt <file> <vkey>; with Debian's golang-go and golang-golang-x-mod-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run verify.go <folder> <vkey>
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// bundlePath is the path of tlog-tiles; a tile of x/mod differs only in its height in front.
func bundlePath(index int64, width int) string {
	name := fmt.Sprintf("%03d", index%1000)
	for index >= 1000 {
		index /= 1000
		name = fmt.Sprintf("x%03d/%s", index%1000, name)
	}
	if width < 256 {
		name += fmt.Sprintf(".p/%d", width)
	}
	return "tile/entries/" + name
}

// readCheckpoint opens a signed checkpoint: origin, size, root.
func readCheckpoint(signed []byte, vkey string) (origin string, size int64, root string) {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check(err)
	_, err = fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &size, &root)
	check(err)
	return origin, size, root
}

// verifyReceipt checks a c2sp.org/tlog-proof@v1 whose extra data is the entry itself.
func verifyReceipt(path, vkey string) {
	text, err := os.ReadFile(path)
	check(err)
	head, checkpoint, found := strings.Cut(string(text), "\n\n")
	if !found {
		log.Fatal("a receipt has an empty line before its checkpoint")
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" {
		log.Fatal("not a c2sp.org/tlog-proof@v1 with its entry")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	check(err)
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	check(err)
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		check(err)
		proof = append(proof, hash)
	}
	origin, size, root := readCheckpoint([]byte(checkpoint), vkey)
	rootHash, err := tlog.ParseHash(root)
	check(err)
	check(tlog.CheckRecord(proof, size, rootHash, index, tlog.RecordHash(entry)))
	fmt.Printf("verified: %s, entry %d of %d\n", origin, index, size)
}

func main() {
	if os.Args[1] == "-receipt" {
		verifyReceipt(os.Args[2], os.Args[3])
		return
	}
	folder := os.Args[1]
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	check(err)
	origin, size, root := readCheckpoint(signed, os.Args[2])

	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for index := int64(0); index < size; {
		width := 256
		if size-index < 256 {
			width = int(size - index)
		}
		bundle, err := os.ReadFile(filepath.Join(folder, bundlePath(index/256, width)))
		check(err)
		for ; len(bundle) > 0; index++ {
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			hashes, err := tlog.StoredHashes(index, bundle[2:end], reader)
			check(err)
			stored = append(stored, hashes...)
			bundle = bundle[end:]
		}
	}
	hash, err := tlog.TreeHash(size, reader)
	check(err)
	if hash.String() != root {
		log.Fatalf("the entries have root %s, signed is %s", hash, root)
	}
	fmt.Printf("verified: %s, %d entries, root %s\n", origin, size, root)
}
