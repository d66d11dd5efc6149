package pack

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/segment"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
)

// spool is a file that is written, then read once, and has no name.
type spool struct {
	f *os.File
	w *bufio.Writer
}

func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, ".partnerguard-pack-*")
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "%s cannot be written to", dir).WithHint("is there room?")
	}
	_ = os.Remove(f.Name()) // where that works at once; else when it is closed
	return &spool{f, bufio.NewWriterSize(f, 1<<18)}, nil
}

func (s *spool) to(w io.Writer) error {
	if err := s.w.Flush(); err != nil {
		return err
	}
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.f)
	return err
}

func (s *spool) close() {
	_ = s.f.Close()
	_ = os.Remove(s.f.Name())
}

// evidence writes the pages, the index and the segments.
func (k *making) evidence(ctx context.Context, c *chosen) error {
	index, err := newSpool(k.dir)
	if err != nil {
		return err
	}
	defer index.close()
	p := &pages{making: k, c: c, index: index, rule: k.m.Rule()}
	if p.rule != nil {
		p.pseudonyms = leaf.NewPseudonyms(token.Bytes(32))
	}
	lacking := map[string]bool{}
	var total, done int64
	list := []archive.Segment{} // of the tenant, about 1 KiB each
	for of, err := range k.Archive.Segments(ctx, archive.Query{Tenant: k.m.Tenant, To: k.m.AsOf.Add(time.Microsecond)}) {
		if err != nil {
			return err
		}
		wanted := slices.ContainsFunc(of.Runs, func(part segment.Part) bool { return c.part(of.Name, &part) })
		if wanted && !of.Removed.IsZero() {
			for _, part := range of.Runs {
				if c.runs[part.Run] && part.Pages > 0 {
					lacking[part.Run] = true
				}
			}
		} else if wanted {
			list, total = append(list, of), total+of.Size
		}
	}
	for n := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.segment(ctx, &list[n]); err != nil {
			return err
		}
		if done += list[n].Size; k.o.Progress != nil {
			k.o.Progress(done, total)
		}
	}
	for run := range lacking {
		k.m.Lacking = append(k.m.Lacking, run)
	}
	slices.Sort(k.m.Lacking)
	if err := k.add(form.IndexName, "evidence", index.to); err != nil {
		return err
	}
	return k.add(form.SegmentsName, "evidence", func(w io.Writer) error { _, err := w.Write(p.segments); return err })
}

// pages writes the entries of segments.
type pages struct {
	*making
	c          *chosen
	index      *spool
	rule       *leaf.Rule
	pseudonyms *leaf.Pseudonyms
	segments   []byte // lines
	line, cut  []byte
	set        []int64
}

// segment writes what is wanted of one, and how it is proved.
func (p *pages) segment(ctx context.Context, of *archive.Segment) error {
	r, err := p.Archive.Open(ctx, *of)
	if err != nil {
		return err
	}
	p.set = p.set[:0]
	line := form.Segment{Segment: of.Name}
	var tree *segment.Tree
	if p.rule == nil {
		err = p.plain(ctx, of, r)
		line.Seq, line.Root, tree = of.Seq, of.Root, r.Tree()
	} else {
		line.Seq, line.Root, err = p.leaved(ctx, of)
		if err == nil {
			tree, err = p.redacted(ctx, of, r)
		}
		if err == nil && tree.Root() != line.Root {
			err = problem.New(problem.Conflict, "the salted root of %s is not the one that entry %d of the trail has", of.Name, line.Seq).
				WithHint("the key of the salts in the vault is another one than it was: restore the vault of then")
		}
	}
	if err != nil || len(p.set) == 0 {
		return err
	}
	line.Entries = tree.Size()
	proof, err := leaf.Prove(tree.Size(), p.set, tree)
	if err != nil {
		return problem.Wrap(err, problem.Internal, "the entries of %s cannot be proved", of.Name)
	}
	line.Hashes = form.EncodeHashes(proof)
	raw, err := form.Line(line)
	p.segments = append(p.segments, raw...)
	p.seqs = append(p.seqs, line.Seq)
	return err
}

// plain writes entries as the archive keeps them. Only the frames that have something of
// what is wanted are read.
func (p *pages) plain(ctx context.Context, of *archive.Segment, r *segment.Reader) error {
	want := make([]bool, len(r.Frames))
	for i := range r.Parts {
		if part := &r.Parts[i]; p.c.part(of.Name, part) {
			for f := part.Frames[0]; f <= part.Frames[1]; f++ {
				want[f] = true
			}
		}
	}
	for first := 0; first < len(want); first++ {
		if !want[first] {
			continue
		}
		last := first
		for last+1 < len(want) && want[last+1] {
			last++
		}
		err := r.Some(ctx, first, last, func(e *segment.Entry) error {
			if !p.c.has(of.Name, e) {
				return nil
			}
			return p.raw(of.Name, e)
		})
		if err != nil {
			return err
		}
		first = last
	}
	return nil
}

func (p *pages) raw(name string, e *segment.Entry) error {
	if err := e.Check(); err != nil {
		return err
	}
	p.set = append(p.set, e.Index)
	raw, err := form.Line(form.Index{Segment: name, Index: e.Index, Line: string(e.Line)})
	if err == nil {
		_, err = p.index.w.Write(raw)
	}
	if err != nil || e.Page == nil {
		return err
	}
	body := e.Page.Body
	if e.Packed != nil {
		body = e.Packed
	}
	return p.page(form.PageName(name, e.Index, false), body)
}

func (p *pages) page(name string, body []byte) error {
	p.m.Pages.Count++
	p.m.Pages.Bytes += int64(len(body))
	return p.w.Put(name, body)
}

// redacted cuts all entries of a segment, and writes those that are wanted without what
// the rule leaves out.
func (p *pages) redacted(ctx context.Context, of *archive.Segment, r *segment.Reader) (*segment.Tree, error) {
	salter, err := p.salter(ctx, of.Name)
	if err != nil {
		return nil, err
	}
	c := &cutter{salter: salter}
	err = r.All(ctx, func(e *segment.Entry) error {
		if err := e.Check(); err != nil {
			return err
		}
		if !p.c.has(of.Name, e) {
			return c.entry(e, nil)
		}
		p.set = append(p.set, e.Index)
		var line []byte
		var before leaf.Counts
		p.cut = p.cut[:0]
		if err := c.entry(e, func(n int, rec *leaf.Record) {
			switch {
			case n == 0:
				p.rule.Redact(rec, true, p.pseudonyms, p.m.Leaves)
				line, before = rec.Append(nil), *p.m.Leaves
				return
			case n < 0: // all that was cut does not count
				p.cut, *p.m.Leaves = p.cut[:0], before
				p.m.Leaves.Withheld++
			default:
				p.rule.Redact(rec, false, p.pseudonyms, p.m.Leaves)
				p.leftOut(rec)
			}
			p.cut = rec.Append(p.cut)
		}); err != nil {
			return err
		}
		return p.written(of.Name, e, line)
	})
	return &c.tree, err
}

// leftOut counts members that were left out.
func (p *pages) leftOut(rec *leaf.Record) {
	if p.members == nil {
		p.members = map[string]int64{}
	}
	for i := range rec.Leaves {
		if rec.Leaves[i].Salt == nil {
			path := rec.Leaves[i].Path
			if m := p.rule.Member(path); m != "" {
				p.members[m]++
			} else {
				p.members[leaf.Member(path)]++
			}
		}
	}
}

// written writes an entry that was cut.
func (p *pages) written(name string, e *segment.Entry, line []byte) error {
	b := append(p.line[:0], `{"segment":"`+name+`","index":`...)
	b = append(strconv.AppendInt(b, e.Index, 10), `,"cut":`...)
	b = append(b, line[:len(line)-1]...)
	if e.Page != nil {
		sum := sha256.Sum256(p.cut)
		b = strconv.AppendInt(append(b, `,"bytes":`...), int64(len(p.cut)), 10)
		b = append(append(append(b, `,"sha256":"`...), hex.EncodeToString(sum[:])...), '"')
	}
	p.line = append(b, '}', '\n')
	if _, err := p.index.w.Write(p.line); err != nil {
		return problem.Wrap(err, problem.Unavailable, "the index cannot be written").WithHint("is there room?")
	}
	if e.Page == nil {
		return nil
	}
	return p.page(form.PageName(name, e.Index, true), p.cut)
}
