// Checks a CallerVault audit log with golang.org/x/mod/sumdb/{note,tlog}, the code behind Go's checksum database:
// nothing in here hashes or proves by itself. The log is a directory laid out as c2sp.org/tlog-tiles serves it.
//
//	apt-get install golang-go golang-golang-x-mod-dev
//	GO111MODULE=off GOPATH=/usr/share/gocode go run tests/go/verify/main.go DIRECTORY VKEY[,VKEY] [SEED]
//
// Several keys are those that the log had, one after the other.
//
// It needs every bundle: lay an archive of pruned ones over the directory first. Receipts in
// DIRECTORY/receipts/*.tlog-proof are checked too, and receipts of erasures in DIRECTORY/receipts/*.erasure. Prints `OK n=… root=…`; or `MISMATCH: …` on standard error and exit code 1; 2 if called wrongly.
package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8 // of a tile, so that it is 256 hashes wide (tlog-tiles, "Merkle Tree")
	width  = 1 << height
	rounds = 200 // random indexes, and random older sizes, that are proved
)

func main() {
	if len(os.Args) != 3 && len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: verify DIRECTORY VKEY[,VKEY] [SEED]")
		os.Exit(2)
	}
	seed := int64(1)
	if len(os.Args) == 4 {
		var err error
		if seed, err = strconv.ParseInt(os.Args[3], 10, 64); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	var keys []note.Verifier
	for _, vkey := range strings.Split(os.Args[2], ",") {
		key, err := note.NewVerifier(vkey)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		keys = append(keys, key)
	}
	tree, err := verify(directory(os.Args[1]), keys, rand.New(rand.NewSource(seed)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "MISMATCH:", err)
		os.Exit(1)
	}
	fmt.Printf("OK n=%d root=%s\n", tree.N, tree.Hash)
}

func verify(dir directory, keys []note.Verifier, random *rand.Rand) (tlog.Tree, error) {
	signed, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
	if err != nil {
		return tlog.Tree{}, err
	}
	tree, err := openCheckpoint(signed, keys)
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	leaves, err := readEntries(dir, tree.N)
	if err != nil {
		return tree, err
	}
	if err := checkTiles(dir, tree, leaves); err != nil {
		return tree, err
	}
	if err := checkProofs(dir, tree, leaves, random); err != nil {
		return tree, err
	}
	if err := checkErasures(dir, leaves, keys); err != nil {
		return tree, err
	}
	return tree, checkReceipts(dir, tree, leaves, keys)
}

// checkErasures checks receipts/*.erasure: signed by the log, and about the entry that the log has there.
func checkErasures(dir directory, leaves []tlog.Hash, keys []note.Verifier) error {
	paths, err := filepath.Glob(filepath.Join(string(dir), "receipts", "*.erasure"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err == nil {
			err = checkErasure(leaves, keys, data)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func checkErasure(leaves []tlog.Hash, keys []note.Verifier, receipt []byte) error {
	opened, err := note.Open(receipt, note.VerifierList(keys...))
	if err != nil {
		return err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 10 || lines[0] != "callervault/erasure/1" || lines[1] != "log "+keys[0].Name() {
		return errors.New("not the receipt of an erasure of this log")
	}
	index, err := parseDecimal(strings.TrimPrefix(lines[2], "entry "))
	if err != nil {
		return err
	}
	leaf, err := parseHash(strings.TrimPrefix(lines[3], "leaf "))
	if err != nil {
		return err
	}
	if index >= int64(len(leaves)) || leaves[index] != leaf {
		return fmt.Errorf("entry %d of this log is another", index)
	}
	return nil
}

// openCheckpoint returns the tree that a checkpoint was signed for: exactly the lines origin, size, root.
func openCheckpoint(signed []byte, keys []note.Verifier) (tlog.Tree, error) {
	opened, err := note.Open(signed, note.VerifierList(keys...))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 {
		return tlog.Tree{}, fmt.Errorf("%d lines, want origin, size, root", len(lines)-1)
	}
	if lines[0] != keys[0].Name() {
		return tlog.Tree{}, fmt.Errorf("origin %q, want %q", lines[0], keys[0].Name())
	}
	size, err := parseDecimal(lines[1])
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := parseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// readEntries compares every entry with its hash on level 0 and returns the hashes of the entries.
func readEntries(dir directory, size int64) ([]tlog.Hash, error) {
	var leaves []tlog.Hash
	counts := counts{last: map[string]uint64{}}
	for n := int64(0); n*width < size; n++ {
		tile := tlog.Tile{H: height, L: 0, N: n, W: width}
		if size-n*width < width {
			tile.W = int(size - n*width)
		}
		stored, err := dir.readTile(tile)
		if err != nil {
			return nil, err
		}
		data, path, err := dir.read(tile, "entries")
		if err != nil {
			return nil, err
		}
		for i := 0; i < tile.W; i++ {
			index := n*width + int64(i)
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("leaf %d: %s ends within or before it", index, path)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			leaf := tlog.RecordHash(data[2:end])
			if string(leaf[:]) != string(stored[i*tlog.HashSize:(i+1)*tlog.HashSize]) {
				return nil, fmt.Errorf("leaf %d: the entry in %s does not have the hash in tile/0", index, path)
			}
			if err := counts.take(data[2:end]); err != nil {
				return nil, fmt.Errorf("leaf %d: %w", index, err)
			}
			leaves, data = append(leaves, leaf), data[end:]
		}
		if len(data) > 0 && path == tilePath(tile, "entries") {
			return nil, fmt.Errorf("%s: %d bytes after its last leaf", path, len(data))
		}
	}
	return leaves, nil
}

// counts are those of entries about callers: each is one more than the one before about the same caller. Logs of an earlier program
// have none at first.
type counts struct {
	last  map[string]uint64
	begun bool
}

func (counts *counts) take(entry []byte) error {
	var count struct {
		Subject *string `json:"subject"`
		Nth     *uint64 `json:"nth"`
	}
	if err := json.Unmarshal(entry, &count); err != nil {
		return err
	}
	if count.Nth == nil && (count.Subject == nil || !counts.begun) {
		return nil
	}
	if count.Nth == nil || count.Subject == nil {
		return errors.New("a count without a caller, or a caller without a count")
	}
	counts.begun = true
	if expected := counts.last[*count.Subject] + 1; *count.Nth != expected {
		return fmt.Errorf("counted as number %d about its caller, and number %d follows: an entry is hidden", *count.Nth, expected)
	}
	counts.last[*count.Subject]++
	return nil
}

// checkTiles builds the tree over the entries anew and compares every tile that the size needs, then the root.
func checkTiles(dir directory, tree tlog.Tree, leaves []tlog.Hash) error {
	if tree.N == 0 {
		if tree.Hash != sha256.Sum256(nil) { // RFC 6962 section 2.1; x/mod has no hash for the empty tree
			return errors.New("root: not that of an empty tree")
		}
		return nil
	}
	var stored []tlog.Hash
	rebuilt := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashesForRecordHash(int64(i), leaf, rebuilt)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	for level := 0; tree.N>>(height*level) > 0; level++ {
		count := tree.N >> (height * level)
		for n := int64(0); n*width < count; n++ {
			tile := tlog.Tile{H: height, L: level, N: n, W: width}
			if count-n*width < width {
				tile.W = int(count - n*width)
			}
			want, err := tlog.ReadTileData(tile, rebuilt)
			if err != nil {
				return err
			}
			got, err := dir.readTile(tile)
			if err != nil {
				return err
			}
			if string(got) != string(want) {
				return fmt.Errorf("%s: does not follow from the entries", tilePath(tile, ""))
			}
		}
	}
	root, err := tlog.TreeHash(tree.N, rebuilt)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("root: the entries have %s, the checkpoint was signed for %s", root, tree.Hash)
	}
	return nil
}

// checkProofs does what a client does that has only tiles: it computes the root and proofs from them.
func checkProofs(dir directory, tree tlog.Tree, leaves []tlog.Hash, random *rand.Rand) error {
	if tree.N == 0 {
		return nil
	}
	reader := tlog.TileHashReader(tree, dir) // refuses tiles that do not lead to tree.Hash
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return fmt.Errorf("tiles: %w", err)
	}
	if root != tree.Hash {
		return fmt.Errorf("root: the tiles have %s, the checkpoint was signed for %s", root, tree.Hash)
	}
	for i := int64(0); i < rounds; i++ {
		index, older := random.Int63n(tree.N), 1+random.Int63n(tree.N)
		switch i { // both ends, whatever the seed
		case 0:
			index, older = 0, 1
		case 1:
			index, older = tree.N-1, tree.N
		}
		inclusion, err := tlog.ProveRecord(tree.N, index, reader)
		if err == nil {
			err = tlog.CheckRecord(inclusion, tree.N, tree.Hash, index, leaves[index])
		}
		if err != nil {
			return fmt.Errorf("inclusion of leaf %d: %w", index, err)
		}
		olderRoot, err := tlog.TreeHash(older, reader)
		if err != nil {
			return fmt.Errorf("root of the first %d entries: %w", older, err)
		}
		consistency, err := tlog.ProveTree(tree.N, older, reader)
		if err == nil {
			err = tlog.CheckTree(consistency, tree.N, tree.Hash, older, olderRoot)
		}
		if err != nil {
			return fmt.Errorf("consistency with the first %d entries: %w", older, err)
		}
	}
	return nil
}

// checkReceipts checks receipts/*.tlog-proof against the entries, each also being of an earlier state of this log.
func checkReceipts(dir directory, tree tlog.Tree, leaves []tlog.Hash, keys []note.Verifier) error {
	paths, err := filepath.Glob(filepath.Join(string(dir), "receipts", "*.tlog-proof"))
	if err != nil {
		return err
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err == nil {
			err = checkReceipt(dir, tree, leaves, keys, string(data))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func checkReceipt(dir directory, tree tlog.Tree, leaves []tlog.Hash, keys []note.Verifier, receipt string) error {
	head, checkpoint, _ := strings.Cut(receipt, "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") { // opaque, and outside any signature
		if _, err := base64.StdEncoding.Strict().DecodeString(lines[0][len("extra "):]); err != nil {
			return err
		}
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return errors.New("no index")
	}
	index, err := parseDecimal(lines[0][len("index "):])
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := parseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	then, err := openCheckpoint([]byte(checkpoint), keys)
	if err != nil {
		return err
	}
	if then.N > tree.N {
		return fmt.Errorf("signed for %d entries, here are %d", then.N, tree.N)
	}
	if index >= then.N {
		return fmt.Errorf("index %d is outside its tree of %d", index, then.N)
	}
	root, err := tlog.TreeHash(then.N, tlog.TileHashReader(tree, dir))
	if err != nil {
		return err
	}
	if root != then.Hash {
		return fmt.Errorf("signed for other entries than the first %d here", then.N)
	}
	return tlog.CheckRecord(proof, then.N, then.Hash, index, leaves[index])
}

// directory is a log on disk. It is a tlog.TileReader.
type directory string

func (directory) Height() int                     { return height }
func (directory) SaveTiles([]tlog.Tile, [][]byte) {}

func (dir directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		var err error
		if data[i], err = dir.readTile(tile); err != nil {
			return nil, err
		}
	}
	return data, nil
}

// readTile returns a tile's hashes.
func (dir directory) readTile(tile tlog.Tile) ([]byte, error) {
	data, path, err := dir.read(tile, "")
	if err != nil {
		return nil, err
	}
	want := width * tlog.HashSize
	if path == tilePath(tile, "") {
		want = tile.W * tlog.HashSize
	}
	if len(data) != want {
		return nil, fmt.Errorf("%s: %d bytes, want %d", path, len(data), want)
	}
	return data[:tile.W*tlog.HashSize], nil
}

// read returns a file and its path: the full tile's if a partial one was dropped (tlog-tiles, "Partial Tiles").
func (dir directory) read(tile tlog.Tile, level string) ([]byte, string, error) {
	path := tilePath(tile, level)
	data, err := os.ReadFile(filepath.Join(string(dir), path))
	if errors.Is(err, fs.ErrNotExist) && tile.W < width {
		tile.W = width
		full := tilePath(tile, level)
		if data, err := os.ReadFile(filepath.Join(string(dir), full)); err == nil {
			return data, full, nil
		}
	}
	if err != nil {
		return nil, path, err
	}
	return data, path, nil
}

// tilePath is x/mod's path without the height: tile/8/L/N is tile/L/N, and tile/entries/N with that level.
func tilePath(tile tlog.Tile, level string) string {
	parts := strings.Split(tile.Path(), "/")
	if level != "" {
		parts[2] = level
	}
	return strings.Join(append(parts[:1], parts[2:]...), "/")
}

func parseDecimal(text string) (int64, error) {
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil || value < 0 || strconv.FormatInt(value, 10) != text {
		return 0, fmt.Errorf("%q is not a decimal number", text)
	}
	return value, nil
}

func parseHash(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(data) != tlog.HashSize {
		return hash, fmt.Errorf("%q is not a hash", text)
	}
	copy(hash[:], data)
	return hash, nil
}
