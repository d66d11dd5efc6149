package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/audit"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// proofForm names the form of a proof.
const proofForm = "partnerguard-archive-proof-1"

// MaxProof bounds a proof that is read, in bytes: its page is in it.
const MaxProof = 2*segment.MaxBody + 1<<20

// Proof shows that one page was archived as it is, to whoever has the key of the
// trail's checkpoints and nothing else: from the page to the root of its segment,
// to the entry of the trail, to a signed checkpoint.
type Proof struct {
	Form    string `json:"form"`
	Segment string `json:"segment"`
	Index   int64  `json:"index"` // of the entry in the segment
	Line    string `json:"line"`  // what is said of the page: its hash is the leaf
	// Body is the page; or Packed is, as the archive keeps a large one: a zstd frame.
	Body   []byte       `json:"body,omitempty"`
	Packed []byte       `json:"packed,omitempty"`
	Hashes []trail.Hash `json:"hashes"`
	Trail  trail.Proof  `json:"trail"`
}

// Which says which page of a segment: the one numbered Page, from 0 in the order of
// the segment, or, where Record is not "", the first that holds it as a JSON text.
type Which struct {
	Page   int
	Record string
}

// Prove proves a page of a segment under a signed checkpoint of the trail t.
func (a *Archive) Prove(ctx context.Context, t *trail.Trail, s Segment, w Which, signed []byte) (*Proof, error) {
	r, err := a.reader(ctx, &s)
	if err != nil {
		return nil, err
	}
	want, err := json.Marshal(w.Record)
	if err != nil {
		return nil, err
	}
	p := &Proof{Form: proofForm, Segment: s.Name, Index: -1}
	pages := 0
	err = r.All(ctx, func(e *segment.Entry) error {
		if e.Page == nil || p.Index >= 0 {
			return nil
		}
		if w.Record == "" && pages == w.Page || w.Record != "" && bytes.Contains(e.Page.Body, want) {
			p.Index, p.Line, p.Packed = e.Index, string(e.Line), bytes.Clone(e.Packed)
			if p.Packed == nil {
				p.Body = bytes.Clone(e.Page.Body)
			}
		}
		pages++
		return nil
	})
	if err != nil {
		return nil, inSegment(&s, err)
	}
	if p.Index < 0 {
		if w.Record != "" {
			return nil, problem.New(problem.NotFound, "no page of the segment %s holds %.80q", s.Name, w.Record).
				WithHint("partnerguard archive list --resource R narrows down where it may be")
		}
		return nil, problem.New(problem.NotFound, "the segment %s has pages 0 to %d, and no %d", s.Name, pages-1, w.Page)
	}
	tree := r.Tree()
	hashes, err := tree.Prove(p.Index)
	if err != nil {
		return nil, err
	}
	for _, h := range hashes {
		p.Hashes = append(p.Hashes, trail.Hash(h))
	}
	if p.Trail, err = t.ProveEntry(ctx, s.Seq, signed); err != nil {
		return nil, err
	}
	_, err = p.Verify()
	return p, err
}

// Proven is what a proof shows.
type Proven struct {
	Page       Page             `json:"page"`
	Segment    string           `json:"segment"`
	Seq        int64            `json:"seq"`  // the entry of the trail
	Kept       audit.Event      `json:"kept"` // what it says
	Checkpoint trail.Checkpoint `json:"checkpoint"`
	Bytes      int              `json:"bytes"` // of the page
	SHA256     string           `json:"sha256"`
	Signed     bool             `json:"signed"` // the checkpoint's signature was checked
}

// ReadProof reads a proof.
func ReadProof(raw []byte) (*Proof, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	p := &Proof{}
	if err := d.Decode(p); err != nil || d.More() {
		return nil, problem.Wrap(err, problem.BadInput, "it is no proof of the archive").WithHint("partnerguard archive prove writes one")
	}
	if p.Form != proofForm {
		return nil, problem.New(problem.BadInput, "it is a proof of the form %.80q, and this program knows %s", p.Form, proofForm)
	}
	return p, nil
}

// Verify checks a proof, and the signature of its checkpoint by each verifier.
// Kind problem.Unmet where it does not hold.
func (p *Proof) Verify(by ...note.Verifier) (*Proven, error) {
	broken := func(what string) error {
		return problem.New(problem.Unmet, "the proof does not hold: %s", what).WithHint("it was changed, or is of another page")
	}
	e, err := segment.ParseLine([]byte(p.Line))
	switch {
	case err != nil:
		return nil, err
	case e.Page == nil:
		return nil, broken("it is of no page")
	}
	said, body := e.Said(), p.Body
	if said.Packed > 0 {
		if body, err = said.Unpack(p.Packed); err != nil || len(p.Body) > 0 {
			return nil, broken("the page is not that of its line")
		}
	}
	got := sha256.Sum256(body)
	sum := hex.EncodeToString(got[:])
	switch {
	case said.Bytes != int64(len(body)) || said.Packed != int64(len(p.Packed)):
		return nil, broken("the page has another length")
	case said.Packed == 0 && sum != said.SHA256:
		return nil, broken("the page has another SHA-256")
	}
	entry, c, err := p.Trail.Verify(by...)
	if err != nil {
		return nil, err
	}
	if entry.Action != audit.ArchiveKept || entry.Object != p.Segment || entry.Tenant != e.Page.Tenant {
		return nil, broken("the entry of the trail is not of this segment")
	}
	root, err := trail.ParseHash(entry.Details["root"])
	if err != nil {
		return nil, broken("the entry of the trail has no root")
	}
	entries, err := strconv.ParseInt(entry.Details["entries"], 10, 64)
	if err != nil || p.Index < 0 || p.Index >= entries || len(p.Hashes) > 64 {
		return nil, broken("it is of an entry that the segment does not have")
	}
	hashes := make(tlog.RecordProof, len(p.Hashes))
	for i, h := range p.Hashes {
		hashes[i] = tlog.Hash(h)
	}
	if err := tlog.CheckRecord(hashes, entries, tlog.Hash(root), p.Index, segment.Leaf([]byte(p.Line))); err != nil {
		return nil, broken("the page is not in the segment that the trail kept")
	}
	out := &Proven{Page: *e.Page, Segment: p.Segment, Seq: entry.Seq, Kept: entry.Event, Checkpoint: c, Bytes: len(body), SHA256: sum, Signed: len(by) > 0}
	out.Page.Body = body
	return out, nil
}
