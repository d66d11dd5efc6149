package segment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

// A large page is that of its line in every respect, or none: a reader and a proof
// never say different things of it.
func TestLargePageIsThatOfItsLine(t *testing.T) {
	t.Parallel()
	packed := encoder().EncodeAll([]byte(strings.Repeat("large ", 1000)), nil)
	sum := sha256.Sum256(packed)
	hexed := hex.EncodeToString(sum[:])
	for name, c := range map[string]struct {
		said Said
		left int
		all  int
		want bool
	}{
		"itself":        {Said{6000, int64(len(packed)), hexed}, 0, 6101, true},
		"another sum":   {Said{6000, int64(len(packed)), strings.Repeat("0", 64)}, 0, 6101, false},
		"another size":  {Said{6000, int64(len(packed)) + 1, hexed}, 0, 6101, false},
		"not the last":  {Said{6000, int64(len(packed)), hexed}, 1, 6102, false},
		"another begin": {Said{6000, int64(len(packed)), hexed}, 0, 6102, false},
	} {
		l := large{packed: packed, sum: hexed, at: 100}
		e := &Entry{Page: &Page{Body: make([]byte, 6000)}, said: c.said}
		if l.is(e, c.left, c.all) != c.want {
			t.Errorf("%s: %t", name, !c.want)
		}
	}
	for name, c := range map[string]struct {
		said   Said
		packed []byte
		want   bool
	}{
		"itself":        {Said{6000, int64(len(packed)), hexed}, packed, true},
		"another body":  {Said{6000, int64(len(packed)), hexed}, append([]byte{1}, packed[1:]...), false},
		"longer":        {Said{6000, int64(len(packed)), hexed}, append(packed[:len(packed):len(packed)], 0), false},
		"no large one":  {Said{6000, 0, hexed}, packed, false},
		"another bytes": {Said{6001, int64(len(packed)), hexed}, packed, false},
	} {
		if b, err := c.said.Unpack(c.packed); (err == nil) != c.want || c.want && len(b) != 6000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// still is a source that never ends.
type still struct{}

func (still) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// Whoever stops reading leaves nobody behind who decompresses.
func TestReadingAheadEnds(t *testing.T) {
	t.Parallel()
	r := &Reader{Manifest: Manifest{Frames: []Frame{{Size: 10, Raw: 1, Entries: 1}, {Size: 10, Raw: 1, Entries: 1}}}}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	r.open(ctx, still{}, 0, 1, make(chan opened)) // which returns
}
