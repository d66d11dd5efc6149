package app

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/intake"
	"partnerguard/internal/sample"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
	"partnerguard/internal/signin/read"
)

// Reading says what to read and how.
type Reading struct {
	From     []string // files, folders, "-"; empty means the embedded sample partner
	Stdin    io.Reader
	Progress func(done, total int64) // optional
	Hash     bool                    // the SHA-256 of each input is wanted

	// At is the moment of judgement: schedules and Microsoft's changes are looked at
	// as of it. Zero is not known; for the sample it is the sample's own moment.
	At time.Time

	// Now is the moment of reading, later than which nothing read can be. Zero asks
	// the clock.
	Now time.Time

	// BaselineScopes is the tenant's Conditional Access setting of that name, which
	// no export shows: enabled (also ""), disabled or customised.
	BaselineScopes string

	Since, Until time.Time // sign-ins taken: Since <= created < Until; zero is open

	// records, when set, sees rows of logs as they are written, before anything is made of them:
	// of sign-ins those that may be of a partner's people in another tenant. It is called from
	// several goroutines.
	records func(kind evidence.Kind, raw []byte, src evidence.Source)

	// settings, when set, sees each record of a kind that a plan may change, as it was read; raw
	// is not retained after it returns.
	settings func(kind evidence.Kind, raw []byte, src evidence.Source)

	apart  func(path string) bool // folders that are left out, see [intake.Options]; nil: those of customers
	beside known                  // what is known beside the archive
	quick  bool                   // inputs are not hashed: their segments are

	// CSV asks for the CSV report of the sign-ins that Keep takes (nil: all).
	CSV  bool
	Keep func(*signin.Event, signin.Judgement) bool

	// Archive opens what From names by archive: or archive:TENANT: the archive of an
	// installation as it was at a moment. Nil where nothing is kept.
	Archive func(ctx context.Context, a Archived) (fs.FS, error)

	// AsOf is the moment as of which the archive is shown; zero is its newest.
	AsOf time.Time

	// Visit, when set, is called once everything is read and before the rows are
	// counted; the visitors it makes see every surviving row of a user.
	Visit func(*facts.Facts) (func() signin.Visitor, error)

	// Budget bounds the rows and indexes kept in memory, in bytes; zero means the
	// engine's default. What is beyond goes to an unlinked temporary file.
	Budget int64
}

// Sample reports that no input was named.
func (r *Reading) Sample() bool { return len(r.From) == 0 }

// Read reads everything into facts. With Reading.CSV the rows go to csv, in
// input order. The facts are whole even when some inputs were not readable;
// their Inputs say so.
func Read(ctx context.Context, r Reading, csv io.Writer) (*facts.Facts, error) {
	var visit func() signin.Visitor
	opts := fold.Options{Since: r.Since, Until: r.Until, CSV: r.CSV, Keep: r.Keep, Budget: r.Budget, Scratch: scratch{}}
	if r.Visit != nil {
		opts.Visit = func() signin.Visitor { return visit() } // set before Finish calls it
	}
	rows := fold.New(opts)
	s := &sink{facts: facts.New(), fold: rows, records: r.records, settings: r.settings}
	if r.At.IsZero() && r.Sample() {
		r.At = sample.AsOf
	}
	s.facts.SetTime(r.At)
	s.facts.BaselineScopes = r.BaselineScopes
	opt := intake.Options{Stdin: r.Stdin, Progress: r.Progress, Hash: r.Hash, Now: r.Now, Apart: r.apart}
	if opt.Apart == nil {
		opt.Apart = customersApart(r.From)
	}
	members := memberFolders(r.From)
	if apart := opt.Apart; len(members) > 0 {
		opt.Apart = func(path string) bool { return members[filepath.Clean(path)] != "" || apart(path) }
	}
	defer s.end()
	var inputs []evidence.Input
	var err error
	if r.Sample() {
		opt.Stated = sample.AsOf
		inputs, err = intake.ReadFS(ctx, opt, sample.FS(), "sample:", s)
	} else {
		if opt.Mounts, err = r.mounts(ctx); err == nil {
			inputs, err = intake.Read(ctx, opt, r.From, s)
			inputs = append(inputs, gapsOf(opt.Mounts)...)
		}
	}
	s.end()
	for _, path := range slices.Sorted(maps.Keys(members)) {
		raw, read := membersOf(path, members[path])
		_ = s.facts.Take(evidence.Group, raw, evidence.Source{Path: filepath.ToSlash(path)}) // a member of a wrong type leaves the group not whole
		s.facts.Seen[evidence.Group]--                                                       // they are no list of the groups
		inputs = append(inputs, read...)
	}
	s.facts.Inputs = inputs
	r.beside.tell(s.facts)
	if err == nil && r.Visit != nil {
		visit, err = r.Visit(s.facts)
	}
	if err != nil {
		rows.Discard() // gives the scratch file back
		return nil, err
	}
	summary, finishErr := rows.Finish(ctx, csv)
	if finishErr != nil {
		return nil, finishErr
	}
	if s.facts.Seen[evidence.SignIn]+s.facts.Seen[evidence.UnifiedAuditSignIn] > 0 {
		s.facts.SignIns = &summary
	}
	s.facts.TellLog(&summary)
	s.facts.DateLog(&summary)
	return s.facts, nil
}

// sink hands sign-ins to the fold and everything else to the facts.
type sink struct {
	facts   *facts.Facts
	fold    *fold.Fold
	records func(kind evidence.Kind, raw []byte, src evidence.Source) // may be nil

	settings func(kind evidence.Kind, raw []byte, src evidence.Source) // may be nil

	pool  *read.Pool[*fold.Fold] // nil until there is a batch
	begun map[string]int         // the numbers of inputs of which batches were handed in

	decoder read.Decoder
	event   signin.Event
	seq     int
	path    string
}

func (s *sink) Record(kind evidence.Kind, raw []byte, src evidence.Source) (string, error) {
	switch kind {
	case evidence.SignIn, evidence.UnifiedAuditSignIn, evidence.AuthenticationDetail:
	default:
		if s.records != nil && kind == evidence.DirectoryAudit {
			s.records(kind, raw, src)
		}
		if s.settings != nil {
			s.settings(kind, raw, src)
		}
		if err := s.facts.Take(kind, raw, src); err != nil {
			return err.Error(), nil
		}
		return "", nil
	}
	if s.records != nil {
		s.records(kind, raw, src)
	}
	shape, err := s.decoder.Decode(raw, &s.event)
	switch {
	case err != nil:
		return "this sign-in could not be read: " + err.Error(), nil
	case shape == read.ShapeNone:
		return "", intake.ErrNoSignIn
	}
	s.facts.Seen[kind]++
	s.fold.Add(&s.event, signin.SourceRef{Seq: s.order(src.Path), Source: src})
	return "", s.fold.Err()
}

// Unjudged takes what no rule is decided by: some of it is shown.
func (s *sink) Unjudged(kind evidence.Kind, raw []byte, src evidence.Source) error {
	if s.records != nil {
		s.records(kind, raw, src)
	}
	_ = s.facts.Take(kind, raw, src) // what does not fit is not shown, and nothing is concluded from its absence
	return nil
}

func (s *sink) SignInLines(ctx context.Context, r io.Reader, path string, other func([]byte, evidence.Source) error, note func(evidence.Note)) (int, error) {
	if s.records != nil {
		r = &lineTee{r: r, take: func(line []byte) { s.records(evidence.SignIn, line, evidence.Source{Path: path}) }}
	}
	n, err := read.ReadLines(ctx, r, read.Lines{Path: path, Seq: s.order(path), Other: other, Note: note}, s.fold)
	s.facts.Seen[evidence.SignIn] += n
	if err == nil {
		err = s.fold.Err()
	}
	return n, err
}

// order numbers the inputs as intake brings them, one after the other.
func (s *sink) order(path string) int {
	if n, ok := s.begun[path]; ok {
		return n
	}
	if path != s.path {
		s.path = path
		s.seq++
	}
	return s.seq
}

// lineTee shows the lines of sign-ins that may be of a partner's people in another tenant as
// they pass.
type lineTee struct {
	r    io.Reader
	rest []byte
	take func(line []byte)
}

// One of them is in every such line, in some case.
var (
	intoOthers = []byte("serviceprovider")
	technician = []byte(`"user_`)
)

func (t *lineTee) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	for data := p[:n]; len(data) > 0; {
		line, more, whole := bytes.Cut(data, []byte{'\n'})
		if len(t.rest) <= maxSignInLine {
			t.rest = append(t.rest, line...)
		}
		if !whole {
			break
		}
		t.see()
		data = more
	}
	if err != nil {
		t.see()
	}
	return n, err
}

func (t *lineTee) see() {
	if len(t.rest) <= maxSignInLine {
		if low := bytes.ToLower(t.rest); bytes.Contains(low, intoOthers) || bytes.Contains(low, technician) {
			t.take(t.rest)
		}
	}
	t.rest = t.rest[:0]
}
