// Verifies a log's folder with the Go implementation: signature, tiles, every entry, consistency.
//
//	interop FOLDER KEY [SIZE]...
package main

import (
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

const width = 256

// tiles reads hash tiles as C2SP tlog-tiles names them: without the height in the path.
type tiles struct{ folder string }

func (t tiles) Height() int                            { return 8 }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte)    {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		content, err := os.ReadFile(filepath.Join(t.folder, path))
		if err != nil {
			return nil, err
		}
		found = append(found, content)
	}
	return found, nil
}

func main() {
	folder, key := os.Args[1], os.Args[2]
	verifier := must(note.NewVerifier(key))
	signed := must(os.ReadFile(filepath.Join(folder, "checkpoint")))
	opened := must(note.Open(signed, note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		log.Fatalf("the checkpoint is not of three lines: %q", opened.Text)
	}
	size := must(strconv.ParseInt(lines[1], 10, 64))
	root := must(tlog.ParseHash(lines[2]))
	hashes := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, tiles{folder})

	for index, entry := range entries(folder, size) {
		proof := must(tlog.ProveRecord(size, int64(index), hashes))
		check(tlog.CheckRecord(proof, size, root, int64(index), tlog.RecordHash(entry)))
	}
	for _, given := range os.Args[3:] {
		earlier := must(strconv.ParseInt(given, 10, 64))
		then := must(tlog.TreeHash(earlier, hashes))
		proof := must(tlog.ProveTree(size, earlier, hashes))
		check(tlog.CheckTree(proof, size, root, earlier, then))
		fmt.Printf("%d %s\n", earlier, then)
	}
	fmt.Printf("%d %s\n", size, root)
}

// entries reads the bundles: a length of two bytes before each entry.
func entries(folder string, size int64) [][]byte {
	var found [][]byte
	for number := int64(0); number*width < size; number++ {
		tile := tlog.Tile{H: 8, L: 0, N: number, W: int(min(width, size-number*width))}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		bundle := must(os.ReadFile(filepath.Join(folder, path)))
		for len(bundle) > 0 {
			length := int(binary.BigEndian.Uint16(bundle))
			found = append(found, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
	}
	if int64(len(found)) != size {
		log.Fatalf("the bundles hold %d entries, not %d", len(found), size)
	}
	return found
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
