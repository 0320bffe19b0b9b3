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

// tilePath is the path of tlog-tiles; a tile of x/mod differs only in its height in front.
func tilePath(level string, index int64, width int) string {
	name := fmt.Sprintf("%03d", index%1000)
	for index >= 1000 {
		index /= 1000
		name = fmt.Sprintf("x%03d/%s", index%1000, name)
	}
	if width < 256 {
		name += fmt.Sprintf(".p/%d", width)
	}
	return "tile/" + level + "/" + name
}

// tiles are the hash tiles in a folder.
type tiles string

func (tiles) Height() int { return 8 }

func (folder tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		path := tilePath(strconv.Itoa(tile.L), tile.N, tile.W)
		bytes, err := os.ReadFile(filepath.Join(string(folder), path))
		if err != nil {
			return nil, err
		}
		data[i] = bytes
	}
	return data, nil
}

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// checkTiles reads the hash of every entry through the hash tiles, which x/mod authenticates against the root.
func checkTiles(folder string, size int64, root tlog.Hash, stored []tlog.Hash) {
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles(folder))
	for index := int64(0); index < size; index++ {
		at := tlog.StoredHashIndex(0, index)
		hashes, err := reader.ReadHashes([]int64{at})
		if err != nil {
			log.Fatalf("the hash tiles: %s", err)
		}
		if hashes[0] != stored[at] {
			log.Fatalf("the hash tiles hold another hash of entry %d", index)
		}
	}
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
		bundle, err := os.ReadFile(filepath.Join(folder, tilePath("entries", index/256, width)))
		check(err)
		for ; len(bundle) > 0; index++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				log.Fatalf("the bundle of entry %d is cut short", index)
			}
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
	checkTiles(folder, size, hash, stored)
	fmt.Printf("verified: %s, %d entries, root %s\n", origin, size, root)
}
