package trail

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/problem"
)

// The first line of an export says what it is: of the hash chain that the trail
// once was, or of the tree.
const (
	chainForm  = "partnerguard-trail-1"
	exportForm = "partnerguard-trail-2"
)

// exportHead is the first line: what must be known of the entries up to number
// After to go on from there.
type exportHead struct {
	Form  string `json:"form"`
	Trail string `json:"trail,omitempty"` // which trail it is of
	After int64  `json:"after"`
	Nodes []Hash `json:"nodes,omitempty"` // the roots of the perfect subtrees of the entries before, widest first
	// The hash chain that the trail was up to entry Chained: its anchor, its hash
	// at After, its last hash.
	Anchor  string `json:"anchor,omitempty"`
	Hash    string `json:"hash,omitempty"`
	Chained int64  `json:"chained,omitempty"`
	Last    string `json:"last,omitempty"`
}

// exportEnd is the last line.
type exportEnd struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

// Export writes the entries after number after, up to the newest, as JSON
// Lines: a first line about the export, then {"hash":…,"entry":…} where entry
// is the canonical bytes and hash the leaf's (of entries of the old hash chain,
// the chain's), and a last line with the tree's root. [VerifyExport] re-checks it
// without the database, as can anyone with SHA-256. It checks while it goes and
// stops with a problem.Conflict where the trail does not hold. It gives the head it
// ended with.
func (t *Trail) Export(ctx context.Context, w io.Writer, after int64) (Head, error) {
	stand, id, err := t.head(ctx)
	if err != nil {
		return Head{}, err
	}
	if after < 0 || after > stand.size {
		return Head{}, problem.New(problem.Usage, "the trail has entries 1 to %d: there is nothing after %d", stand.size, after)
	}
	c, err := oldChain(ctx, t.db)
	if err != nil {
		return Head{}, err
	}
	l := newWalk(c, nil)
	if l.tree, err = t.treeAt(ctx, stand, after); err != nil {
		return Head{}, err
	}
	x := exporter{w: bufio.NewWriterSize(w, 1<<16), walk: l, id: id, after: after}
	where, cursor := "last >= $1 ORDER BY first", after
	for l.at.Seq < stand.size {
		list, err := t.pages(ctx, verifyPages, where, cursor)
		if err != nil {
			return l.at, err
		}
		for i := range list {
			if err := x.page(&list[i], stand); err != nil {
				return l.at, err
			}
			where, cursor = "first > $1 ORDER BY first", list[i].first
		}
		if len(list) < verifyPages {
			break
		}
	}
	if err := x.begin(); err != nil {
		return l.at, err
	}
	if l.tree.size < stand.size {
		return l.at, bad(l.at.Seq+1, "it is missing: the end was cut off").as(problem.Conflict)
	}
	head := Head{l.tree.size, Hash(l.tree.root())}
	if err := x.line(exportEnd{head.Seq, head.Hash.String()}); err != nil {
		return head, err
	}
	return head, x.w.Flush()
}

// treeAt is the tree as it stood with size entries; its nodes are checked
// against the present root.
func (t *Trail) treeAt(ctx context.Context, now tree, size int64) (tree, error) {
	at := tree{size: size}
	var want []int64
	for begin := int64(0); begin < size; {
		level := bits.Len64(uint64(size-begin)) - 1
		want = append(want, tlog.StoredHashIndex(level, begin>>level))
		begin += 1 << level
	}
	if len(want) == 0 {
		return at, nil
	}
	var err error
	if at.nodes, err = t.reader(ctx, now).ReadHashes(want); err != nil {
		return at, torn(err)
	}
	return at, nil
}

type exporter struct {
	w     *bufio.Writer
	walk  *walk
	id    string
	after int64
	begun bool
}

func (x *exporter) line(v any) error {
	raw, err := json.Marshal(v)
	if err == nil {
		_, err = x.w.Write(append(raw, '\n'))
	}
	return err
}

func (x *exporter) begin() error {
	if x.begun {
		return nil
	}
	x.begun = true
	h := exportHead{Form: exportForm, Trail: x.id, After: x.after}
	for _, n := range x.walk.tree.nodes {
		h.Nodes = append(h.Nodes, Hash(n))
	}
	if c := x.walk.chain; x.after < c.head.Seq {
		h.Anchor, h.Hash, h.Chained, h.Last = c.anchor.String(), x.walk.at.Hash.String(), c.head.Seq, c.head.Hash.String()
	}
	x.walk.at.Seq = x.after
	return x.line(h)
}

// page writes the wanted entries of a page. The chain's hash before the first
// one is in the page that holds the one before it.
func (x *exporter) page(p *page, stand tree) error {
	l := x.walk
	for _, line := range p.lines() {
		h, canonical, ok := split(line)
		n, numbered := number(canonical)
		if !ok || !numbered {
			return bad(l.at.Seq+1, "it cannot be read").as(problem.Conflict)
		}
		if n <= x.after && !x.begun {
			if n == x.after {
				l.at = Head{n, h}
			}
			continue
		}
		if l.tree.size == stand.size && x.begun {
			return nil // recorded since
		}
		if err := x.begin(); err != nil {
			return err
		}
		b, err := l.add(h, canonical)
		if err != nil {
			return err
		}
		if b == nil && l.tree.size == stand.size && l.tree.root() != stand.root() {
			b = bad(x.after+1, "it, or one up to entry %d, or the head row, was changed: together they do not make the tree of the head row", stand.size)
		}
		if b != nil {
			return b.as(problem.Conflict)
		}
		for _, part := range [][]byte{[]byte(`{"hash":"`), []byte(h.String()), []byte(`","entry":`), canonical, []byte("}\n")} {
			if _, err := x.w.Write(part); err != nil {
				return err
			}
		}
	}
	return nil
}

// VerifyExport checks what Export wrote, without the database: that its
// entries make the tree of its last line, and that wanted, when given, is among
// its heads. Exports of the hash chain that the trail once was are checked too;
// such a one that was cut off at its end holds, and only a head written down
// elsewhere shows it.
func VerifyExport(r io.Reader, wanted *Hash) (Report, error) {
	return ReadExport(r, wanted, nil, nil)
}

// ReadExport verifies as [VerifyExport] does, holds marks that somebody kept against
// the trail, under the name that the report has them, and gives each entry to each,
// which may be nil, as it is read: before it is known whether the rest holds.
func ReadExport(r io.Reader, wanted *Hash, kept *Marks, each func(*Entry) error) (Report, error) {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 64<<10), maxLine+256)
	ended := func() error {
		switch err := s.Err(); {
		case errors.Is(err, bufio.ErrTooLong):
			return problem.New(problem.BadInput, "a line is longer than any line of an export")
		case err != nil:
			return problem.Wrap(err, problem.BadInput, "the export cannot be read")
		}
		return nil
	}
	if !s.Scan() {
		if err := ended(); err != nil {
			return Report{}, err
		}
		return Report{}, problem.New(problem.BadInput, "the export is empty")
	}
	l, form, err := parseExportHead(s.Bytes(), wanted)
	if err != nil {
		return Report{}, err
	}
	after := l.at.Seq
	l.roots = kept.roots()
	report := func(b *Bad) Report {
		h := Head{l.at.Seq, Hash(l.tree.root())}
		if form == chainForm {
			h = l.at
		}
		return Report{Entries: l.at.Seq - after, After: after, Head: h, Bad: b}
	}
	var end *exportEnd
	for s.Scan() {
		if end != nil {
			return report(bad(l.at.Seq+1, "something stands after the export's last line")), nil
		}
		h, canonical, ok := exported(s.Bytes())
		if !ok && form == exportForm && parseExportEnd(s.Bytes(), &end) {
			continue
		}
		if !ok {
			return report(bad(l.at.Seq+1, "it cannot be read")), nil
		}
		if b, err := l.add(h, canonical); b != nil || err != nil {
			return report(b), err
		}
		if each != nil {
			if err := each(&l.entry); err != nil {
				return report(nil), err
			}
		}
	}
	if err := ended(); err != nil {
		return report(nil), err
	}
	switch {
	case form == chainForm:
	case end == nil:
		return report(bad(l.at.Seq+1, "it is missing: the export was cut off")), nil
	case end.Size != l.at.Seq || end.Root != Hash(l.tree.root()).String():
		return report(bad(after+1, "it, or one up to entry %d, was changed: together they do not make the tree of the last line", max(end.Size, l.at.Seq))), nil
	}
	out := report(l.end())
	kept.compare(l, &out)
	return out, nil
}

// Marks are checkpoints that somebody kept.
type Marks struct {
	Name string
	List []Mark
}

func (m *Marks) roots() map[int64]Hash {
	if m == nil {
		return nil
	}
	out := map[int64]Hash{}
	for _, k := range m.List {
		if k.Bad == "" {
			out[k.Size] = Hash{}
		}
	}
	return out
}

func (m *Marks) compare(l *walk, r *Report) {
	if m == nil || r.Bad != nil {
		return
	}
	c := compare(m.Name, m.List, l.trail, l.roots, r)
	unsaid(nil, c.Marks == 0, &c.Misfit, &c.Unsaid)
	r.Anchors = append(r.Anchors, c)
}

func parseExportEnd(line []byte, end **exportEnd) bool {
	var e exportEnd
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if d.Decode(&e) != nil || e.Root == "" || d.More() {
		return false
	}
	*end = &e
	return true
}

// parseExportHead gives the walk that an export's first line begins.
func parseExportHead(line []byte, wanted *Hash) (*walk, string, error) {
	var head exportHead
	if err := json.Unmarshal(line, &head); err != nil || head.Form != exportForm && head.Form != chainForm || head.After < 0 || head.Chained < 0 {
		return nil, "", problem.New(problem.BadInput, "the first line is not that of an export of the trail")
	}
	var c chain
	var begin Hash
	var err error
	parse := func(h *Hash, s string) {
		if err == nil {
			*h, err = ParseHash(s)
		}
	}
	if head.Form == chainForm {
		parse(&begin, head.Hash)
		parse(&c.anchor, head.Anchor)
		c.head.Seq = math.MaxInt64
	} else if head.Chained > head.After {
		parse(&begin, head.Hash)
		parse(&c.anchor, head.Anchor)
		parse(&c.head.Hash, head.Last)
		c.head.Seq = head.Chained
	}
	if err != nil {
		return nil, "", err
	}
	if head.After == 0 && begin != c.anchor {
		return nil, "", problem.New(problem.BadInput, "the export does not begin at the trail's anchor")
	}
	l := newWalk(c, wanted)
	if _, err := ParseHash(head.Trail); err == nil {
		l.trail = origin(head.Trail)
	}
	l.at = Head{head.After, begin}
	l.tree.size = head.After
	for _, n := range head.Nodes {
		l.tree.nodes = append(l.tree.nodes, tlog.Hash(n))
	}
	if head.Form == chainForm {
		l.tree = tree{} // its roots mean nothing
		l.meet(begin)
		return l, head.Form, nil
	}
	if bits.OnesCount64(uint64(head.After)) != len(head.Nodes) {
		return nil, "", problem.New(problem.BadInput, "the first line does not say how the tree stood before the export")
	}
	l.meet(Hash(l.tree.root()))
	return l, head.Form, nil
}

// exported takes a line of an export apart. The bytes of the entry are what is
// hashed, so the line is cut, not decoded.
func exported(line []byte) (h Hash, canonical []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(`{"hash":"`))
	if !ok || len(rest) < 2*len(h) {
		return h, nil, false
	}
	hash, rest := rest[:2*len(h)], rest[2*len(h):]
	rest, ok = bytes.CutPrefix(rest, []byte(`","entry":`))
	if !ok {
		return h, nil, false
	}
	canonical, ok = bytes.CutSuffix(rest, []byte("}"))
	if !ok {
		return h, nil, false
	}
	h, err := ParseHash(string(hash))
	return h, canonical, err == nil
}
