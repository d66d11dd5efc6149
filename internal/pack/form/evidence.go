package form

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/pattern"
	"partnerguard/internal/problem"
)

// Index is a line of the index: an entry of a segment. Of a pack without redaction Line
// is the archive's own, whose hash is the leaf; else Cut is that line cut as a record,
// and Bytes and SHA256 are of the file with the other records, where it is a page.
type Index struct {
	Segment string         `json:"segment"`
	Index   int64          `json:"index"`
	Line    string         `json:"line,omitempty"`
	Cut     jsontext.Value `json:"cut,omitempty"`
	Bytes   int64          `json:"bytes,omitempty"`
	SHA256  string         `json:"sha256,omitempty"`
}

// Segment is a line of the segments: the entry of the trail that has its root, and the
// hashes that lead from the entries of the index to it.
type Segment struct {
	Segment string   `json:"segment"`
	Seq     int64    `json:"seq"`
	Entries int64    `json:"entries"`
	Root    string   `json:"root"`
	Hashes  []string `json:"hashes"` // base64
}

// Proof is the hashes that lead from the entries of the trail to the root of so many.
type Proof struct {
	Size   int64    `json:"size"`
	Hashes []string `json:"hashes"`
}

// Checkpoint is a line of the checkpoints: a signed note, and what an anchor gave back
// for it, a stamp (RFC 3161) or lines with cosignatures.
type Checkpoint struct {
	At       time.Time `json:"at"`
	Anchor   string    `json:"anchor,omitempty"` // "": this pack's own
	Note     string    `json:"note"`
	Stamp    []byte    `json:"stamp,omitempty"`
	Cosigned string    `json:"cosigned,omitempty"`
}

// Step is a proof (RFC 9162 section 2.1.4) that the tree of From entries is the
// beginning of that of To.
type Step struct {
	From   int64    `json:"from"`
	To     int64    `json:"to"`
	Hashes []string `json:"hashes"`
}

// Consistency is one step for each two checkpoints of different sizes.
type Consistency struct {
	Steps []Step `json:"steps"`
}

// PageName is the file of a page.
func PageName(segment string, index int64, cut bool) string {
	end := ".page"
	if cut {
		end = ".cut"
	}
	return "evidence/" + segment + "/" + strconv.FormatInt(index, 10) + end
}

var pageForm = pattern.Later(`^evidence/[^/]+/(?:0|[1-9][0-9]{0,9})\.(?:page|cut)$`)

func isPage(name string) bool { return pageForm.MatchString(name) }

// EncodeHashes writes hashes as a pack has them.
func EncodeHashes(list []leaf.Hash) []string {
	out := make([]string, len(list))
	for i := range list {
		out[i] = base64.StdEncoding.EncodeToString(list[i][:])
	}
	return out
}

func decodeHashes(list []string) ([]leaf.Hash, bool) {
	out := make([]leaf.Hash, len(list))
	for i, s := range list {
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || len(b) != tlog.HashSize {
			return nil, false
		}
		out[i] = leaf.Hash(b)
	}
	return out, true
}

// maxIndexLine bounds a line of the index: the archive's line, escaped.
const maxIndexLine = 4 << 20

// maxSegmentLine bounds one of the segments: a hash for each two entries.
const maxSegmentLine = segment.MaxEntries*48 + 1024

// lines calls each with every line of an entry, which must all end in a line feed.
func (r *Reader) lines(name string, most int, each func(n int, line []byte) error) error {
	in, err := r.Open(name)
	if err != nil {
		return err
	}
	return eachLine(in, name, most, each)
}

// eachLine is lines of what is read already.
func eachLine(in io.Reader, name string, most int, each func(n int, line []byte) error) error {
	b := bufio.NewReaderSize(in, 1<<16)
	var long []byte
	for n := 1; ; {
		part, err := b.ReadSlice('\n')
		if err == io.EOF && len(part) == 0 && len(long) == 0 { //nolint:errorlint // as bufio gives it
			return nil
		}
		if long = append(long, part...); len(long) > most {
			return broken("line %d of %s is longer than any", n, name)
		}
		switch err { //nolint:errorlint // as bufio gives it
		case bufio.ErrBufferFull:
			continue
		case io.EOF:
			return broken("%s ends within a line", name)
		case nil:
		default:
			return problem.Wrap(err, problem.Unavailable, "%s cannot be read", name)
		}
		if err := each(n, bytes.TrimSuffix(long, []byte{'\n'})); err != nil {
			return err
		}
		long = long[:0]
		n++
	}
}

// EachIndex calls each with every line of the index.
func (r *Reader) EachIndex(each func(*Index) error) error {
	return r.lines(IndexName, maxIndexLine, func(n int, line []byte) error {
		x := &Index{}
		if err := decode(line, x); err != nil {
			return broken("line %d of %s is none", n, IndexName)
		}
		if !segment.IsName(x.Segment) || x.Index < 0 || x.Index > segment.MaxEntries || (x.Line == "") == (x.Cut == nil) ||
			x.Line != "" && (x.Bytes != 0 || x.SHA256 != "") || x.Bytes < 0 || x.Bytes > MaxEntry || x.SHA256 != "" && !sumForm.MatchString(x.SHA256) {
			return broken("line %d of %s is none", n, IndexName)
		}
		return each(x)
	})
}

// Entry is what the index says of an entry: a page without its body, or a run's end, with
// the hash of its leaf where that needs no more than the line.
func (x *Index) Entry() (e *segment.Entry, cut *leaf.Record, err error) {
	line := []byte(x.Line)
	if x.Cut != nil {
		if cut, err = leaf.Parse(x.Cut); err != nil {
			return nil, nil, err
		}
		if line, err = leaf.JoinOne(cut); err != nil {
			return nil, nil, err
		}
	}
	e, err = segment.ParseLine(line)
	if err != nil {
		return nil, cut, err
	}
	e.Index = x.Index
	if x.Cut != nil && (e.Page != nil) != (x.SHA256 != "") {
		return nil, cut, broken("entry %d of %s says nothing of its file, or has none", x.Index, x.Segment)
	}
	return e, cut, nil
}
