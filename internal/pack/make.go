package pack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/leaf"
	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
)

// logDays is how far back logs go at least: as far as a judge reads them.
const logDays = 30

// manifest begins what a pack says of itself.
func (s *Store) manifest(o *Options) (*Manifest, error) {
	if o.Evidence == "" {
		o.Evidence = form.All
	}
	now := s.Now().UTC().Truncate(time.Microsecond)
	from, to := o.From.UTC(), o.To.UTC()
	switch {
	case !from.Before(to):
		return nil, problem.New(problem.Usage, "the period begins %s and ends %s", from.Format(time.DateOnly), to.Format(time.DateOnly))
	case from.After(now):
		return nil, problem.New(problem.Usage, "the period begins %s, which is not yet", from.Format(time.DateOnly))
	case !form.IsReader(o.Reader):
		return nil, problem.New(problem.Usage, "%.40q is no reader of a pack", o.Reader).WithHint("auditor, insurer, microsoft or customer")
	}
	lower := func(list []string) []string {
		out := []string{}
		for _, w := range list {
			if w = strings.ToLower(strings.TrimSpace(w)); w != "" {
				out = append(out, w)
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	m := &Manifest{
		Form: form.Form,
		Name: "pack-" + strings.ToLower(o.Tenant[:min(8, len(o.Tenant))]) + "-" + from.Format(time.DateOnly) + "-" + hex.EncodeToString(token.Bytes(3)),
		Tool: s.Tool, Tenant: o.Tenant, Customer: o.Customer, From: from, To: to, AsOf: to, Since: from, Reader: o.Reader, Made: now,
		Evidence: o.Evidence, Entries: []Entry{}, Verdicts: []Verdict{},
	}
	if now.Before(to) {
		m.AsOf = now
	}
	if least := m.AsOf.AddDate(0, 0, -logDays); least.Before(m.Since) {
		m.Since = least
	}
	if m.Redaction = lower(o.Redact); len(m.Redaction) > 0 {
		m.Kept, m.Leaves = lower(o.Keep), &leaf.Counts{}
	}
	if len(m.Kept) == 0 {
		m.Kept = nil
	}
	if len(m.Redaction) == 0 {
		m.Redaction = nil
	}
	return m, nil
}

// Make makes a pack. Its file takes its name when it is whole, and never the place of
// another. Memory does not grow with the evidence, but for about 150 bytes a page.
func (s *Store) Make(ctx context.Context, o Options) (*Made, error) {
	if s.Signer == nil || s.Judge == nil {
		return nil, problem.New(problem.Internal, "packs are made with a key and a judge")
	}
	m, err := s.manifest(&o)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(o.Out); err == nil {
		return nil, problem.New(problem.Conflict, "%s is there already", o.Out).
			WithHint("name another file with --out; a pack never takes the place of another file")
	}
	f, err := os.CreateTemp(filepath.Dir(o.Out), ".partnerguard-pack-*") // mode 0600
	if err != nil {
		return nil, problem.Wrap(err, problem.Unavailable, "%s cannot be written", o.Out).WithHint("its folder must exist, be yours and have room")
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name()) // where it did not take its name
	}()
	k := &making{Store: s, o: &o, m: m, w: form.NewWriter(f), dir: filepath.Dir(o.Out)}
	if err := k.all(ctx); err != nil {
		return nil, err
	}
	made := &Made{Manifest: m, Path: o.Out, Size: k.w.Size(), Stamped: k.stamped}
	if made.SHA256, err = sumOf(f); err != nil {
		return nil, err
	}
	if err := place(f, o.Out); err != nil {
		return nil, err
	}
	return made, s.remember(ctx, made)
}

// place gives a written file its name, and never takes another's.
func place(f *os.File, path string) error {
	failed := func(err error) error {
		return problem.Wrap(err, problem.Unavailable, "%s cannot be written", path).WithHint("its folder must be yours and have room")
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return failed(err)
	}
	err := os.Link(f.Name(), path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return problem.New(problem.Conflict, "%s is there already", path).WithHint("name another file with --out")
	case err != nil: // a file system without links
		if err := os.Rename(f.Name(), path); err != nil {
			return failed(err)
		}
	}
	return nil
}

func sumOf(f *os.File) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", problem.Wrap(err, problem.Unavailable, "the pack cannot be read back")
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", problem.Wrap(err, problem.Unavailable, "the pack cannot be read back")
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// making is the making of one pack.
type making struct {
	*Store
	o       *Options
	m       *Manifest
	w       *form.Writer
	dir     string // for what is spooled
	view    *view.View
	signer  *trail.Signer
	seqs    []int64          // entries of the trail that the evidence needs
	members map[string]int64 // those that were left out by their name, how often
	stamped bool
}

// all writes the pack: what it is judged by first, what signs it last.
func (k *making) all(ctx context.Context) (err error) {
	if k.signer, err = k.Signer(ctx); err != nil {
		return err
	}
	k.m.Key, k.m.Trail = k.signer.Key(), k.signer.Name()
	if k.view, err = k.Archive.View(ctx, archive.ViewOf{Tenant: k.m.Tenant, AsOf: k.m.AsOf, Since: k.m.Since, Apart: true}); err != nil {
		return err
	}
	// What is told must not say more than will be so.
	switch {
	case k.m.Evidence == form.None:
		k.m.Unjudged = "there is no evidence in it"
	case k.m.Evidence == form.Deciding:
		k.m.Unjudged = "only the evidence that decided is in it"
	case k.o.NotRejudged && k.m.Rule() != nil:
		k.m.Unjudged = "its maker did not ask that they do"
	}
	judged, err := k.Judge(ctx, &Evidence{FS: k.view, Manifest: k.m})
	if err != nil {
		return err
	}
	k.m.Verdicts, k.m.Agreement, k.m.Book = judged.Verdicts, judged.Agreement, judged.Book
	if k.m.Verdicts == nil {
		k.m.Verdicts = []Verdict{}
	}
	if k.m.Evidence != form.None {
		if err := k.evidence(ctx, k.choose(judged)); err != nil {
			return err
		}
	}
	// Before the files: with something left out the report is of what is left.
	if err := k.rejudge(ctx); err != nil {
		return err
	}
	if err := k.trail(ctx, judged.Bind); err != nil {
		return err
	}
	for _, f := range judged.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := k.add(f.Path, f.Kind, f.Write); err != nil {
			return err
		}
	}
	return k.sign(ctx)
}

// add adds an entry that the manifest lists.
func (k *making) add(path, kind string, write func(io.Writer) error) error {
	e, err := k.w.Add(path, kind, write)
	if err == nil {
		k.m.Entries = append(k.m.Entries, e)
	}
	return err
}

func (k *making) text(path, kind string, text []byte) error {
	return k.add(path, kind, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// sign writes what the pack says of itself, its signature, and the stamp.
func (k *making) sign(ctx context.Context) error {
	if err := k.m.Check(); err != nil {
		return problem.Wrap(err, problem.Internal, "the pack would say what none says: %s", err)
	}
	k.m.Stamp = k.Stamp != nil
	raw, err := form.Encode(k.m)
	if err != nil {
		return err
	}
	signed, err := form.Sign(k.m, raw, k.signer)
	if err != nil {
		return err
	}
	if err := k.w.Put(form.ManifestName, raw); err != nil {
		return err
	}
	if err := k.w.Put(form.NoteName, signed); err != nil {
		return err
	}
	if k.Stamp != nil {
		token, err := k.Stamp(ctx, signed)
		if err != nil {
			return err
		}
		if err := k.w.Put(form.StampName, token); err != nil {
			return err
		}
		k.stamped = true
	}
	return k.w.Close()
}
