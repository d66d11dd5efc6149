package segment_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/archive/segment"
)

// bare reads as a view does: what comes out of a frame is not hashed.
func bare(b []byte, root string) (pages []string, err error) {
	r, err := segment.NewReader(context.Background(), memory(b), int64(len(b)), root)
	if err != nil {
		return nil, err
	}
	err = r.All(context.Background(), func(e *segment.Entry) error {
		if e.Page != nil {
			pages = append(pages, string(e.Page.Body))
		}
		return nil
	})
	return pages, err
}

// Whatever byte is changed, what is read is what was written, or nothing.
func TestEveryByteIsHeld(t *testing.T) {
	t.Parallel()
	b, d := write(t, "a body of its own, q8Zk2", strings.Repeat("large, ", 20000), "another, x7Lw9", strings.Repeat("z", 130<<10))
	want, err := bare(b, d.Root)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		c := bytes.Clone(b)
		c[i] ^= 1
		if got, err := bare(c, d.Root); err == nil && !slices.Equal(got, want) {
			t.Errorf("byte %d: %q", i, got)
		}
	}
}

// Who changes a page and what the manifest says of its frame does not change the
// root, and is refused.
func TestFramesAreUnderTheRoot(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 200<<10) // does not compress, so that it stands in the frame as it is
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	b, d := write(t, string(noise))
	f := d.Frames[0]
	frame := bytes.Clone(b[f.At : f.At+f.Size])
	at := bytes.Index(frame, noise[1000:1020])
	if at < 0 {
		t.Fatal("the body is not spelt out in its frame")
	}
	frame[at] ^= 1
	tail := b[len(b)-32:]
	where, size := binary.BigEndian.Uint64(tail[16:]), binary.BigEndian.Uint64(tail[24:])
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := z.DecodeAll(b[where:where+size], nil)
	if err != nil {
		t.Fatal(err)
	}
	body := frame[f.Size-10-f.Body : f.Size-10]
	packed := sha256.Sum256(body)
	sum := sha256.Sum256(slices.Concat(frame[:f.Size-10-f.Body], packed[:]))
	m = bytes.Replace(m, []byte(f.SHA256), []byte(hex.EncodeToString(sum[:])), 1)
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	m = enc.EncodeAll(m, nil)
	forged := slices.Concat(b[:f.At], frame, b[f.At+f.Size:where], m, tail)
	binary.BigEndian.PutUint64(forged[len(forged)-8:], uint64(len(m)))
	if got, err := bare(forged, d.Root); err == nil {
		t.Errorf("%q is believed", got)
	}
}
