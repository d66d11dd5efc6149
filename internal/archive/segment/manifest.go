package segment

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/go-json-experiment/json"
	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/problem"
)

// Format is the number of this form.
const Format = 1

// Header is the first thing in a segment.
type Header struct {
	Format int       `json:"format"`
	Name   string    `json:"name"`
	Tenant string    `json:"tenant"`
	Made   time.Time `json:"made"`
}

// Frame is a compressed part of the object: whole entries, one after the other.
type Frame struct {
	At      int64 `json:"at"`      // its first byte in the object
	Size    int64 `json:"size"`    // its bytes in the object
	Raw     int64 `json:"raw"`     // its bytes when decompressed
	Entries int   `json:"entries"` // pages and ends of runs in it
	// Body is how many of its bytes in the object are those of the large page that ends
	// it; behind them is lineEnd.
	Body   int64  `json:"body,omitempty"`
	SHA256 string `json:"sha256"` // of its bytes in the object; the body's SHA-256 stands for it and lineEnd
}

// lineEnd is a line feed as a zstd frame.
const lineEnd = "\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00\n"

// Part is what a segment holds of one run.
type Part struct {
	Run      string    `json:"run"`
	Resource string    `json:"resource"`
	Pages    int       `json:"pages"`
	Bytes    int64     `json:"bytes"` // of the pages' bodies
	First    time.Time `json:"first,omitzero"`
	Last     time.Time `json:"last,omitzero"` // the pages' first and last moment
	Number   int       `json:"number"`        // of the first page
	Frames   [2]int    `json:"frames"`        // the first and the last frame with something of it
	End      *Run      `json:"end,omitempty"` // where it ended in this segment
}

// framesLeaf is the tree's last leaf: the frames, so that whoever reads some of them
// holds compressed bytes to the root, which are few, and not what comes out of them.
func framesLeaf(frames []Frame) (tlog.Hash, error) {
	b, err := encode(frames)
	return Leaf(b), err
}

// Manifest stands behind the pages and says what is where.
type Manifest struct {
	Format int       `json:"format"`
	Name   string    `json:"name"`
	Tenant string    `json:"tenant"`
	Pages  int       `json:"pages"`
	Bytes  int64     `json:"bytes"` // of all pages' bodies
	First  time.Time `json:"first,omitzero"`
	Last   time.Time `json:"last,omitzero"`
	Root   string    `json:"root"`   // of the tree of all entries and, last, the frames; hex
	Leaves string    `json:"leaves"` // their hashes in order, 32 bytes each, base64
	Frames []Frame   `json:"frames"`
	Parts  []Part    `json:"parts"`
}

const (
	maxManifest = 64 << 20
	maxParts    = MaxEntries
	tailSize    = 8 + 24 // a skippable frame: magic, length, "PGSEGEND", offset, size
	skippable   = 0x184D2A50
	headMagic   = "PGSEG1\n"
	tailMagic   = "PGSEGEND"
)

// skip is a skippable zstd frame with b in it.
func skip(b []byte) []byte {
	out := binary.LittleEndian.AppendUint32(nil, skippable)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(b))) //nolint:gosec // of a few bytes
	return append(out, b...)
}

// tail is the end of an object: where the manifest's frame lies.
func tail(at, size int64) []byte {
	b := binary.BigEndian.AppendUint64([]byte(tailMagic), uint64(at))
	return skip(binary.BigEndian.AppendUint64(b, uint64(size)))
}

// parseTail reads what tail wrote.
func parseTail(b []byte, object int64) (at, size int64, err error) {
	if len(b) != tailSize || string(b[:16]) != string(skip([]byte(tailMagic))[:4])+string(tail(0, 0)[4:16]) {
		return 0, 0, bad("it does not end as a segment does: it was cut off, or is none")
	}
	a, s := binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint64(b[24:])
	if a > uint64(object) || s > uint64(object) || a+s+tailSize != uint64(object) {
		return 0, 0, bad("its end says that the manifest lies where it cannot")
	}
	return int64(a), int64(s), nil //nolint:gosec // not above the object's size
}

func bad(format string, args ...any) *problem.Error {
	return problem.New(problem.BadInput, format, args...)
}

// leaves decodes the leaves and holds them to the root.
func (m *Manifest) leaves() ([]tlog.Hash, error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(m.Leaves)
	if err != nil || len(raw)%tlog.HashSize != 0 || len(raw) > (MaxEntries+1)*tlog.HashSize || len(raw) == 0 {
		return nil, bad("its manifest's leaves are no list of hashes")
	}
	out := make([]tlog.Hash, 0, len(raw)/tlog.HashSize)
	var t Tree
	for ; len(raw) > 0; raw = raw[tlog.HashSize:] {
		h := tlog.Hash(raw[:tlog.HashSize])
		out = append(out, h)
		t.Add(h)
	}
	if t.Root() != m.Root {
		return nil, bad("its manifest's root is not that of its leaves")
	}
	last, err := framesLeaf(m.Frames)
	if err != nil || out[len(out)-1] != last {
		return nil, bad("its manifest's frames are not those of its root")
	}
	return out[:len(out)-1], nil
}

// check holds a manifest to itself and to where it lies.
func (m *Manifest) check(at int64) error {
	switch {
	case m.Format != Format:
		return problem.New(problem.BadInput, "it is of the form %d, and this program knows %d", m.Format, Format).WithHint("use the newer program")
	case !IsName(m.Name) || !IsTenant(m.Tenant):
		return bad("its manifest has no name or no tenant")
	case m.Pages < 0 || m.Bytes < 0 || len(m.Frames) > MaxEntries+1 || len(m.Parts) > maxParts:
		return bad("its manifest counts what cannot be")
	}
	var next, entries int64
	for i, f := range m.Frames {
		if i == 0 {
			next = f.At
			if next < int64(len(skip([]byte(headMagic)))) {
				return bad("its manifest's frames begin where they cannot")
			}
		}
		if f.At != next || f.Size <= 0 || f.Size > at || f.Raw <= 0 || f.Raw > MaxBody+frameRaw+2*maxLine || f.Entries <= 0 ||
			f.Body < 0 || f.Body > 0 && f.Body >= f.Size-int64(len(lineEnd)) {
			return bad("frame %d of its manifest lies where it cannot", i)
		}
		next += f.Size
		entries += int64(f.Entries)
	}
	if len(m.Frames) > 0 && next != at || entries > MaxEntries {
		return bad("its manifest's frames do not fill it")
	}
	for _, p := range m.Parts {
		if !IsName(p.Run) || !IsResource(p.Resource) || p.Pages < 0 || p.Bytes < 0 ||
			p.Frames[0] < 0 || p.Frames[0] > p.Frames[1] || p.Frames[1] >= len(m.Frames) {
			return bad("a part of its manifest is none")
		}
		if p.End != nil {
			if err := p.End.Check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// encode is v as JSON on one line.
func encode(v any) ([]byte, error) { return json.Marshal(v, json.Deterministic(true)) }

// decode reads it strictly.
func decode(b []byte, v any) error {
	if err := json.Unmarshal(b, v, json.RejectUnknownMembers(true)); err != nil {
		return problem.Wrap(err, problem.BadInput, "a line of it is not what this program writes")
	}
	return nil
}
