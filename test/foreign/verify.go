// Verifies a log with golang.org/x/mod/sumdb, which shares no code with Holdfast.
// Usage: verify <folder> <vkey>; with Debian's golang-go and golang-golang-x-mod-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run verify.go <folder> <vkey>
package main

import (
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"

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

func main() {
	folder := os.Args[1]
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	signed, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	check(err)
	opened, err := note.Open(signed, note.VerifierList(verifier))
	check(err)
	var origin, root string
	var size int64
	_, err = fmt.Sscanf(opened.Text, "%s\n%d\n%s\n", &origin, &size, &root)
	check(err)

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
