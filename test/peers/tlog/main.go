// Judges a log written as static files (C2SP tlog-tiles) by Go's own code for transparency logs: the signature of its
// checkpoint, the tree over all records made anew, and each tile of it. It knows
// nothing of who wrote the log. Plain Go 1.19, no module: golang.org/x/mod is looked for on the GOPATH.
//
//	main FOLDER VERIFIER-KEY
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	if err := judge(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func judge(folder, key string) error {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(folder, "checkpoint"))
	if err != nil {
		return err
	}
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 3 || lines[0] != verifier.Name() {
		return fmt.Errorf("the checkpoint is of %q, not of %q", lines[0], verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return fmt.Errorf("the root is no hash: %q", lines[2])
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)

	stored := map[int64]tlog.Hash{}
	anew := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hash, ok := stored[index]
			if !ok {
				return nil, fmt.Errorf("hash %d is not there yet", index)
			}
			hashes[i] = hash
		}
		return hashes, nil
	})
	var next int64
	for seq := int64(0); seq < size; {
		records, err := bundle(folder, seq, size)
		if err != nil {
			return err
		}
		for _, record := range records {
			made, err := tlog.StoredHashes(seq, record, anew)
			if err != nil {
				return err
			}
			for _, hash := range made {
				stored[next] = hash
				next++
			}
			seq++
		}
	}
	over, err := tlog.TreeHash(size, anew)
	if err != nil {
		return err
	}
	if over != tree.Hash {
		return fmt.Errorf("the tree over all records has another root: %v", over)
	}
	// The reader of tiles in version 0.7.0 of golang.org/x/mod leaves some of them unchecked, so each is compared with what Go
	// itself makes of the records.
	for _, tile := range tilesOf(size) {
		made, err := tlog.ReadTileData(tile, anew)
		if err != nil {
			return err
		}
		path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		there, err := os.ReadFile(filepath.Join(folder, "tile", path))
		if err != nil {
			return err
		}
		if !bytes.Equal(made, there) {
			return fmt.Errorf("tile %s is not that of the records", path)
		}
	}
	fmt.Printf("%d records of %s\n", size, verifier.Name())
	return nil
}

// Full ones, and at each level the one that is not.
func tilesOf(size int64) []tlog.Tile {
	var tiles []tlog.Tile
	for level, count := 0, size; count > 0; level, count = level+1, count>>height {
		for n := int64(0); n<<height < count; n++ {
			width := count - n<<height
			if width > 1<<height {
				width = 1 << height
			}
			tiles = append(tiles, tlog.Tile{H: height, L: level, N: n, W: int(width)})
		}
	}
	return tiles
}

// The bundle that begins with this record.
func bundle(folder string, seq, size int64) ([][]byte, error) {
	width := size - seq
	if width > 1<<height {
		width = 1 << height
	}
	tile := tlog.Tile{H: height, L: -1, N: seq >> height, W: int(width)}
	path := strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/data/", height))
	data, err := os.ReadFile(filepath.Join(folder, "tile", "entries", path))
	if err != nil {
		return nil, err
	}
	var records [][]byte
	for len(data) >= 2 {
		length := int(binary.BigEndian.Uint16(data))
		if len(data) < 2+length {
			return nil, fmt.Errorf("a record of %s is cut off", path)
		}
		records = append(records, data[2:2+length])
		data = data[2+length:]
	}
	if len(data) != 0 || int64(len(records)) != width {
		return nil, fmt.Errorf("%s holds %d records, not %d", path, len(records), width)
	}
	return records, nil
}
