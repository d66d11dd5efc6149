package trail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/problem"
)

// Anchor is a place outside of the database, which its owner does not hold, that
// keeps checkpoints. Safe for concurrent use.
type Anchor interface {
	// Name names it in the trail, in errors and in the database; it does not
	// change and holds no secret.
	Name() string
	// Every is how often it is given a checkpoint at least, when there are new
	// entries; 0 means each time.
	Every() time.Duration
	// Send hands it a checkpoint. When it returns nil the anchor has it, and what
	// it gave back is kept beside it. A problem.Conflict says that the anchor holds
	// what does not fit the trail; any other error that it cannot be reached.
	Send(ctx context.Context, s *Sending) (proof []byte, err error)
	// Held calls each for every checkpoint that it holds or that kept, what it
	// gave back before, proves. [ErrBlind] says that it cannot be read back.
	Held(ctx context.Context, known []note.Verifier, kept []Kept, each func(Mark) error) error
}

// ErrBlind is of anchors that take checkpoints and do not show them.
var ErrBlind = errors.New("it cannot be read from here")

// Sending is a checkpoint on its way to an anchor.
type Sending struct {
	Checkpoint
	Note  []byte        // signed
	By    note.Verifier // of the signature
	At    time.Time
	Known int64 // the size it took last, as far as we know
	// Root is the trail's root when it had size entries.
	Root func(size int64) (Hash, error)
	// Prove proves that the tree of old entries is the beginning of this one.
	Prove func(old int64) ([]Hash, error)
}

// Fits says, as a problem.Conflict, when an anchor's checkpoint is not of this trail.
func (s *Sending) Fits(held Checkpoint) error {
	switch {
	case held.Origin != s.Origin:
		return problem.New(problem.Conflict, "it holds a checkpoint of another trail, %.80q: this one was begun anew, or the place is another's", held.Origin)
	case held.Size > s.Size:
		return problem.New(problem.Conflict, "it holds a checkpoint of %d entries, and the trail has %d: its end was cut off", held.Size, s.Size)
	}
	root, err := s.Root(held.Size)
	if err != nil {
		return err
	}
	if root != held.Root {
		return problem.New(problem.Conflict, "its checkpoint of %d entries does not fit the trail: these were changed or written anew", held.Size)
	}
	return nil
}

// Kept is what an anchor gave back for a checkpoint.
type Kept struct {
	Size  int64
	At    time.Time
	Note  []byte
	Proof []byte
}

// Mark is a checkpoint as an anchor holds it.
type Mark struct {
	Checkpoint
	At time.Time // when the anchor says it was; zero when it does not
	// Bad says that it cannot be one that was sent: it was changed, or is signed
	// by nobody known.
	Bad string
	// Unsigned says that no key was known to check its signature.
	Unsigned bool
	// Told says that it is no checkpoint, but how many entries the anchor says that it
	// remembers.
	Told bool
	// Weak says what of it the anchor does not hold as firmly as it should.
	Weak string
}

// Standing is how an anchor stands.
type Standing struct {
	Anchor  string    `json:"anchor"`
	Size    int64     `json:"size"` // entries of the newest checkpoint it took
	At      time.Time `json:"at,omitzero"`
	Tried   time.Time `json:"tried,omitzero"`
	Failing time.Time `json:"failing,omitzero"` // since when it was not reached or refuses
	Reason  string    `json:"reason,omitempty"`
	// Misfit says that it was reached, just now, and holds what does not fit.
	Misfit bool `json:"misfit,omitempty"`
}

// Standings gives how every anchor stands that was ever tried.
func (t *Trail) Standings(ctx context.Context) ([]Standing, error) {
	rows, err := t.db.QueryContext(ctx, readStandings)
	if err != nil {
		return nil, unread(err)
	}
	defer rows.Close()
	var list []Standing
	for rows.Next() {
		var s Standing
		var at, tried, failing int64
		if err := rows.Scan(&s.Anchor, &s.Size, &at, &tried, &failing, &s.Reason); err != nil {
			return nil, unread(err)
		}
		s.At, s.Tried, s.Failing = db.Time(at), db.Time(tried), db.Time(failing)
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		return nil, unread(err)
	}
	return list, nil
}

func (t *Trail) kept(ctx context.Context, anchor string) ([]Kept, error) {
	rows, err := t.db.QueryContext(ctx, readProofs, anchor)
	if err != nil {
		return nil, unread(err)
	}
	defer rows.Close()
	var list []Kept
	for rows.Next() {
		var k Kept
		var at int64
		if err := rows.Scan(&k.Size, &at, &k.Note, &k.Proof); err != nil {
			return nil, unread(err)
		}
		k.At = db.Time(at)
		list = append(list, k)
	}
	if err := rows.Err(); err != nil {
		return nil, unread(err)
	}
	return list, nil
}

// anchorTime bounds one anchor's work.
const anchorTime = 30 * time.Second

// Anchor signs where the trail stands and hands it to every anchor that is due,
// or to all when now. An anchor that cannot be reached, or that holds what does
// not fit, is recorded in the trail once, when that begins, and when it ends; it
// does not keep the others from theirs. It gives how each stands. The error is
// about the trail, not about anchors.
func (t *Trail) Anchor(ctx context.Context, s *Signer, list []Anchor, all bool, log *slog.Logger) ([]Standing, error) {
	had, err := t.Standings(ctx)
	if err != nil {
		return nil, err
	}
	c, at, raw, err := t.sign(ctx, s)
	if err != nil {
		if errors.Is(err, problem.Conflict) {
			log.ErrorContext(ctx, "the audit trail does not hold", "because", err)
		}
		return nil, err
	}
	now := t.now()
	out := make([]Standing, 0, len(list))
	for _, a := range list {
		st := Standing{Anchor: a.Name()}
		if i := slices.IndexFunc(had, func(h Standing) bool { return h.Anchor == a.Name() }); i >= 0 {
			st = had[i]
		}
		due := all || !st.Failing.IsZero() || st.Size != c.Size && now.Sub(st.At) >= a.Every()
		if !due {
			out = append(out, st)
			continue
		}
		send := &Sending{Checkpoint: c, Note: raw, By: s.verifier, At: now, Known: st.Size}
		send.Root = func(size int64) (Hash, error) { return t.rootAt(ctx, at, size) }
		send.Prove = func(old int64) ([]Hash, error) { return t.prove(ctx, at, old) }
		if st, err = t.send(ctx, a, st, send, log); err != nil {
			return out, err
		}
		out = append(out, st)
	}
	return out, nil
}

func (t *Trail) send(ctx context.Context, a Anchor, st Standing, s *Sending, log *slog.Logger) (Standing, error) {
	within, stop := context.WithTimeout(ctx, anchorTime)
	proof, err := a.Send(within, s)
	stop()
	if ctx.Err() != nil {
		return st, ctx.Err()
	}
	was := st
	st.Tried = s.At
	var e *audit.Event
	if err != nil {
		st.Reason = words(err)
		if st.Failing.IsZero() {
			st.Failing = s.At
		}
		misfit := errors.Is(err, problem.Conflict)
		st.Misfit = misfit
		if was.Failing.IsZero() || misfit && was.Reason != st.Reason {
			e = &audit.Event{Action: audit.TrailGap, Outcome: audit.Failed, Reason: st.Reason}
			if misfit {
				e.Action = audit.TrailMismatch
			}
		}
		// Once: what stands in the database already is told by each process, as who
		// writes there could put it there to keep us silent.
		switch news := t.news(a.Name(), st.Reason); {
		case news && misfit:
			log.ErrorContext(ctx, "an anchor of the audit trail does not fit it", "anchor", a.Name(), "because", st.Reason)
		case news:
			log.WarnContext(ctx, "an anchor of the audit trail cannot be reached", "anchor", a.Name(), "because", st.Reason, "since", st.Failing)
		}
	} else {
		if t.news(a.Name(), "") || !was.Failing.IsZero() {
			log.InfoContext(ctx, "an anchor of the audit trail is reached again", "anchor", a.Name(), "since", was.Failing)
		}
		st.Size, st.At, st.Failing, st.Reason = s.Size, s.At, time.Time{}, ""
		if !was.Failing.IsZero() {
			e = &audit.Event{Action: audit.TrailGapEnded, Outcome: audit.Done}
		}
	}
	return st, t.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := t.db.ExecContext(ctx, putStanding,
			st.Anchor, st.Size, db.Micros(st.At), db.Micros(st.Tried), db.Micros(st.Failing), st.Reason); err != nil {
			return err
		}
		if err == nil && len(proof) > 0 {
			if _, err := t.db.ExecContext(ctx, putProof,
				st.Anchor, s.Size, db.Micros(s.At), string(s.Note), proof); err != nil {
				return err
			}
		}
		if e == nil {
			return nil
		}
		e.At, e.Actor, e.Object = s.At, "system:trail", a.Name()
		e.Details = map[string]string{"entries": fmt.Sprint(s.Size), "anchored": fmt.Sprint(was.Size)}
		if !was.Failing.IsZero() {
			e.Details["since"] = was.Failing.Format(time.RFC3339)
		}
		return t.Record(ctx, *e)
	})
}

// news says whether a trouble with an anchor is another one than this process
// told last; "" is none.
func (t *Trail) news(anchor, trouble string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.told[anchor]
	t.told[anchor] = trouble
	return was != trouble
}

// words is what may be shown of an anchor's error.
func words(err error) string {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p.Public
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "it did not answer in time"
	}
	return "it cannot be reached"
}

// Compared is what one anchor says.
type Compared struct {
	Anchor string    `json:"anchor"`
	Marks  int       `json:"checkpoints"` // that were compared and fit
	Size   int64     `json:"size"`        // entries of the newest of them
	At     time.Time `json:"at,omitzero"`
	Misfit string    `json:"misfit,omitempty"` // what does not fit
	Unsaid string    `json:"unsaid,omitempty"` // what could not be compared, and why
}

// unsaid fills in what an anchor could not say, or why it does not fit: by how its
// reading ended, and whether it holds nothing.
func unsaid(read error, empty bool, misfit, why *string) {
	switch {
	case errors.Is(read, ErrBlind):
		*why = "it takes checkpoints and does not show them: compare one with trail verify --checkpoint"
	case errors.Is(read, problem.Conflict) && *misfit == "":
		*misfit = words(read)
	case read != nil:
		*why = words(read)
	case *misfit == "" && empty:
		*why = "it holds no checkpoint yet"
	}
}

// maxMarks bounds what one anchor may give back.
const maxMarks = 1 << 20

// VerifyAnchored verifies as [Trail.Verify] does and compares the trail with each
// anchor: every checkpoint that one holds must be one this trail went through.
// known are the verifiers of checkpoints; with none their signatures are not
// checked, and the report says so.
func (t *Trail) VerifyAnchored(ctx context.Context, wanted *Hash, known []note.Verifier, list []Anchor) (Report, error) {
	had, err := t.Standings(ctx)
	if err != nil {
		return Report{}, err
	}
	marks, read, err := t.marks(ctx, known, list)
	if err != nil {
		return Report{}, err
	}
	roots := map[int64]Hash{}
	for _, m := range slices.Concat(marks...) {
		if m.Bad == "" {
			roots[m.Size] = Hash{}
		}
	}
	// The trail is read after the anchors: what they hold it must have had.
	r, roots, err := t.verify(ctx, wanted, roots)
	if err != nil {
		return r, err
	}
	own, err := t.Origin(ctx)
	if err != nil && r.Bad == nil {
		return r, err
	}
	for i, a := range list {
		c := compare(a.Name(), marks[i], own, roots, &r)
		unsaid(read[i], c.Marks == 0, &c.Misfit, &c.Unsaid)
		for _, h := range had {
			if h.Anchor == a.Name() && h.Size > c.Size && read[i] == nil && c.Misfit == "" {
				c.Misfit = fmt.Sprintf("it took a checkpoint of %d entries and the newest it shows has %d: the anchor was cut", h.Size, c.Size)
			}
			if h.Anchor == a.Name() && !h.Failing.IsZero() && c.Unsaid == "" && c.Misfit == "" {
				c.Unsaid = "it was not reached since " + h.Failing.Format(time.RFC3339) + ": " + h.Reason
			}
		}
		r.Anchors = append(r.Anchors, c)
	}
	if r.Bad == nil && slices.ContainsFunc(r.Anchors, func(c Compared) bool { return c.Misfit != "" }) {
		f, err := t.Search(ctx, Query{Action: string(audit.BackupRestored), Limit: 10})
		if err != nil {
			return r, err
		}
		r.Restored = f.Entries
	}
	return r, nil
}

// marks reads what each anchor holds, or why it cannot be read.
func (t *Trail) marks(ctx context.Context, known []note.Verifier, list []Anchor) (marks [][]Mark, read []error, err error) {
	marks, read = make([][]Mark, len(list)), make([]error, len(list))
	for i, a := range list {
		kept, err := t.kept(ctx, a.Name())
		if err != nil {
			return nil, nil, err
		}
		within, stop := context.WithTimeout(ctx, anchorTime)
		read[i] = a.Held(within, known, kept, func(m Mark) error {
			if len(marks[i]) == maxMarks {
				return problem.New(problem.Limit, "it holds more than %d checkpoints", maxMarks)
			}
			marks[i] = append(marks[i], m)
			return nil
		})
		stop()
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
	}
	return marks, read, nil
}

// compare holds an anchor's checkpoints against the trail.
func compare(name string, marks []Mark, own string, roots map[int64]Hash, r *Report) Compared {
	c := Compared{Anchor: name}
	slices.SortStableFunc(marks, func(a, b Mark) int { return cmp.Compare(a.Size, b.Size) })
	var before time.Time
	var weak string
	for _, m := range marks {
		root := roots[m.Size]
		switch {
		case m.Bad != "":
			c.Misfit = m.Bad
		case m.Origin != own:
			c.Misfit = fmt.Sprintf("it holds a checkpoint of another trail, %.80q: this one was begun anew, or the place is another's", m.Origin)
		case m.Size > r.Head.Seq:
			c.Misfit = fmt.Sprintf("it holds a checkpoint of %d entries, and the trail has %d: its end was cut off", m.Size, r.Head.Seq)
		case root != m.Root:
			c.Misfit = fmt.Sprintf(
				"its checkpoint of %d entries does not fit: an entry after %d and up to %d was changed, or the trail was written anew", m.Size, c.Size, m.Size)
		case !m.At.IsZero() && m.At.Before(before):
			c.Misfit = fmt.Sprintf("its checkpoint of %d entries is older than one of fewer entries", m.Size)
		}
		if c.Misfit != "" {
			return c
		}
		if m.Unsigned {
			c.Unsaid = "the signatures of its checkpoints could not be checked: no key is known"
		}
		if m.Weak != "" {
			weak = m.Weak
		}
		if c.Marks, c.Size, c.At = c.Marks+1, m.Size, m.At; !m.At.IsZero() {
			before = m.At
		}
	}
	if weak != "" {
		c.Unsaid = strings.TrimPrefix(c.Unsaid+"; "+weak, "; ")
	}
	return c
}
