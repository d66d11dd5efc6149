package rollup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"partnerguard/internal/signin"
)

// magic begins the bytes of a day, with the version of their form.
const magic = "PGRU\x01"

// MaxBytes bounds the bytes of a day that are read.
const MaxBytes = 64 << 20

// Encode writes the day: the same day is the same bytes. They compress well.
func (d *Day) Encode() []byte {
	t := map[string]uint64{}
	var list []string
	add := func(texts ...string) {
		for _, s := range texts {
			if _, has := t[s]; !has {
				t[s] = 0
				list = append(list, s)
			}
		}
	}
	for i := range d.Entries {
		e := &d.Entries[i]
		add(e.User, e.App, e.Resource, e.Client, e.Protocol, e.Policy, e.Name, e.AppName)
		for _, s := range e.seen() {
			add(s.ID, s.In.Segment)
		}
	}
	slices.Sort(list)
	b := append([]byte(magic), byte(len(d.Date)))
	b = append(b, d.Date...)
	b = binary.AppendUvarint(b, uint64(d.Beyond))
	b = binary.AppendUvarint(b, uint64(len(list)))
	for i, s := range list {
		t[s] = uint64(i)
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.AppendUvarint(b, uint64(len(d.Entries)))
	for i := range d.Entries {
		e := &d.Entries[i]
		for _, s := range []string{e.User, e.App, e.Resource, e.Client, e.Protocol, e.Policy, e.Name, e.AppName} {
			b = binary.AppendUvarint(b, t[s])
		}
		b = append(b, byte(e.Verdict))
		b = binary.AppendUvarint(b, uint64(e.Rows))
		for _, s := range e.seen() {
			b = binary.AppendUvarint(b, t[s.ID])
			b = binary.AppendUvarint(b, t[s.In.Segment])
			b = binary.AppendUvarint(b, uint64(s.In.Entry))
			b = binary.AppendVarint(b, nanos(s.At))
		}
	}
	return b
}

// seen are the rows an entry keeps. Those that names are of are kept too: else what is
// merged later could not choose.
func (e *Entry) seen() [4]*Seen { return [4]*Seen{&e.First, &e.Last, &e.named, &e.apped} }

// nanos is a moment as it is written; the zero time is the least.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixNano()
}

func moment(n int64) time.Time {
	if n == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

var errBytes = errors.New("these are no bytes of a rolled up day")

// Decode reads a day back. What Encode would not have written is refused.
func Decode(b []byte) (*Day, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("a rolled up day has more than %d bytes", MaxBytes)
	}
	r := &reader{b: b}
	if string(r.take(len(magic))) != magic {
		return nil, errBytes
	}
	d := &Day{Entries: []Entry{}}
	d.Date = string(r.take(int(r.byte())))
	d.Beyond = int64(r.number(math.MaxInt64))
	texts := make([]string, r.number(uint64(min(len(r.b), 20*MaxEntries))))
	for i := range texts {
		texts[i] = string(r.take(int(r.number(uint64(len(r.b))))))
	}
	text := func() string {
		if i := r.number(math.MaxInt64); i < uint64(len(texts)) {
			return texts[i]
		}
		r.bad = true
		return ""
	}
	n := r.number(MaxEntries)
	for range n {
		if r.bad {
			break
		}
		var e Entry
		for _, s := range []*string{&e.User, &e.App, &e.Resource, &e.Client, &e.Protocol, &e.Policy, &e.Name, &e.AppName} {
			*s = text()
		}
		e.Verdict = signin.Verdict(r.byte())
		e.Rows = int64(r.number(math.MaxInt64))
		for _, s := range e.seen() {
			s.ID, s.In.Segment, s.In.Entry, s.At = text(), text(), int(r.number(math.MaxInt32)), moment(r.signed())
		}
		if last := len(d.Entries) - 1; last >= 0 && d.Entries[last].compare(&e.Key) >= 0 || int(e.Verdict) >= len(signin.Verdicts()) || e.Rows == 0 {
			r.bad = true
		}
		d.Entries = append(d.Entries, e)
	}
	if r.bad || len(r.b) > 0 || string(d.Encode()) != string(b) {
		return nil, errBytes
	}
	return d, nil
}

// reader takes bytes from the front; bad is what it found.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (r *reader) number(most uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > most {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) signed() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}
