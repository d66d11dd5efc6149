package anchor_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
	"partnerguard/internal/vault"
)

// safe is a vault in memory.
type safe map[vault.Ref]string

func (s safe) Get(_ context.Context, r vault.Ref) (secret.Text, error) {
	if s[r] == "" {
		return secret.Text{}, problem.New(problem.NotFound, "none")
	}
	return secret.New(s[r]), nil
}
func (s safe) Put(_ context.Context, r vault.Ref, t secret.Text) error {
	s[r] = t.Reveal()
	return nil
}

type house struct {
	*testing.T
	db     *db.DB
	tr     *trail.Trail
	safe   safe
	signer *trail.Signer
}

func build(t *testing.T, d *db.DB) *house {
	t.Helper()
	h := &house{T: t, db: d, safe: safe{}}
	h.open()
	h.record(5)
	var err error
	if h.signer, err = h.tr.Signer(t.Context(), h.safe); err != nil {
		t.Fatal(err)
	}
	return h
}

// open is what a new process does: it remembers nothing.
func (h *house) open() {
	h.Helper()
	var err error
	if h.tr, err = trail.Open(h.Context(), h.db, trail.Options{}); err != nil {
		h.Fatal(err)
	}
}

func (h *house) record(n int) {
	h.Helper()
	for range n {
		if err := h.tr.Record(h.Context(), audit.Event{Action: audit.TokenIssued, Outcome: audit.Done, Actor: "mtls:x"}); err != nil {
			h.Fatal(err)
		}
	}
}

func (h *house) send(a ...trail.Anchor) []trail.Standing {
	h.Helper()
	list, err := h.tr.Anchor(h.Context(), h.signer, a, true, slog.New(slog.DiscardHandler))
	if err != nil {
		h.Fatal(err)
	}
	return list
}

func (h *house) verify(a ...trail.Anchor) trail.Report {
	h.Helper()
	r, err := h.tr.VerifyAnchored(h.Context(), nil, []note.Verifier{h.signer.Verifier()}, a)
	if err != nil {
		h.Fatal(err)
	}
	return r
}

func (h *house) exec(q string, args ...any) {
	h.Helper()
	if _, err := h.db.Exec(q, args...); err != nil {
		h.Fatal(err)
	}
}

// rewrite is a hand in the database that knows this program: it keeps the first
// keep entries and puts n others after them, all of which verify by themselves.
func (h *house) rewrite(keep, n int) {
	h.Helper()
	f, err := h.tr.Search(h.Context(), trail.Query{Limit: 1000})
	if err != nil {
		h.Fatal(err)
	}
	h.exec("DELETE FROM trail_pages")
	h.exec("DELETE FROM trail_tiles")
	h.exec("UPDATE trail_head SET size = 0, nodes = $1", []byte{})
	h.open()
	for i := range keep {
		if err := h.tr.Record(h.Context(), f.Entries[len(f.Entries)-1-i].Event); err != nil {
			h.Fatal(err)
		}
	}
	for range n {
		if err := h.tr.Record(h.Context(), audit.Event{Action: audit.TokenIssued, Outcome: audit.Done, Actor: "mtls:thief"}); err != nil {
			h.Fatal(err)
		}
	}
	if r, err := h.tr.Verify(h.Context(), nil); err != nil || r.Bad != nil {
		h.Fatalf("the forgery is not a good one: %v %v", r.Bad, err)
	}
}

func file(t *testing.T) (*anchor.File, string) {
	path := filepath.Join(t.TempDir(), "checkpoints")
	return anchor.NewFile(path, 0), path
}

// What a hand in the database can do to a trail whose head left the house.
func TestThiefInTheDatabase(t *testing.T) {
	t.Parallel()
	thief(t, func(t *testing.T) trail.Anchor { a, _ := file(t); return a })
}

// The same, where objects with retention keep the head.
func TestThiefAgainstObjects(t *testing.T) {
	t.Parallel()
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			thief(t, func(t *testing.T) trail.Anchor { a, _ := k.keep(t, nil); return a })
		})
	}
}

func thief(t *testing.T, keeper func(*testing.T) trail.Anchor) {
	for name, c := range map[string]struct {
		do    func(h *house)
		words string
	}{
		"nothing":                {func(*house) {}, ""},
		"more is recorded":       {func(h *house) { h.record(40) }, ""},
		"the tail cut with head": {func(h *house) { h.rewrite(4, 0) }, "cut off"},
		"all written anew":       {func(h *house) { h.rewrite(0, 30) }, "does not fit"},
		"a fork":                 {func(h *house) { h.rewrite(5, 30) }, "does not fit"},
		"emptied":                {func(h *house) { h.rewrite(0, 0) }, "cut off"},
		"emptied, begun anew": {func(h *house) {
			for _, table := range []string{"trail_pages", "trail_head", "trail_tiles", "trail_anchors", "trail_proofs", "trail_chain"} {
				h.exec("DELETE FROM " + table)
			}
			h.open()
			h.record(30)
		}, "another trail"},
		"its anchors forgotten too": {func(h *house) { h.rewrite(4, 0); h.exec("DELETE FROM trail_anchors") }, "cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				h := build(t, d)
				a := keeper(t)
				h.send(a)
				h.record(3)
				h.send(a)
				c.do(h)
				r := h.verify(a)
				if c.words == "" {
					if r.Err() != nil || r.Anchors[0].Marks != 2 {
						t.Fatalf("%+v", r)
					}
					return
				}
				if !errors.Is(r.Err(), problem.Unmet) || !strings.Contains(r.Err().Error(), c.words) {
					t.Fatalf("%+v; want %q", r, c.words)
				}
				if name == "emptied, begun anew" {
					return // its key is another one: nothing is signed
				}
				// Neither is it signed over: the next sending tells too.
				st := h.send(a)[0]
				if !st.Misfit || st.Failing.IsZero() {
					t.Errorf("%+v", st)
				}
				f, err := h.tr.Search(t.Context(), trail.Query{Action: string(audit.TrailMismatch)})
				if err != nil || len(f.Entries) != 1 {
					t.Errorf("the misfit is not in the trail: %+v %v", f, err)
				}
			})
		})
	}
}

// In a process that runs, nothing is signed that does not go on from what it
// signed before, without any anchor's help.
func TestSignerRemembers(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	a, _ := file(t)
	h.send(a)
	tr := h.tr
	h.rewrite(3, 30)
	if _, err := tr.Anchor(t.Context(), h.signer, []trail.Anchor{a}, true, slog.New(slog.DiscardHandler)); !errors.Is(err, problem.Conflict) {
		t.Errorf("%v", err)
	}
}

func TestFileEdited(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit  func(string) string
		words string
	}{
		"a size":         {func(s string) string { return strings.Replace(s, `\n6\n`, `\n7\n`, 1) }, "changed"},
		"a line":         {func(s string) string { return "{}\n" + s }, "cannot be read"},
		"half a line":    {func(s string) string { return s[:len(s)-20] }, "cannot be read"},
		"a line gone":    {func(s string) string { return s[:strings.Index(s, "\n")+1] }, "was cut"},
		"emptied":        {func(string) string { return "" }, "was cut"},
		"an endless one": {func(s string) string { return s + strings.Repeat("x", 1<<17) }, "cannot be read"},
		"of the future":  {func(s string) string { return strings.Replace(s, `\n6\n`, `\n600\n`, 1) }, "changed"},
		"another's":      {func(s string) string { return strings.ReplaceAll(s, "partnerguard/trail/", "partnerguard/trail/0") }, "another trail"},
		"unsigned": {func(s string) string {
			return s[:strings.Index(s, `\n\n`)] + `\n\n"}` + "\n"
		}, "not signed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := build(t, dbtest.SQLite(t))
			a, path := file(t)
			h.send(a)
			h.record(1)
			h.send(a)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(c.edit(string(raw))), 0o600); err != nil {
				t.Fatal(err)
			}
			r := h.verify(a)
			if !errors.Is(r.Err(), problem.Unmet) || !strings.Contains(r.Err().Error(), c.words) {
				t.Errorf("%+v; want %q", r.Err(), c.words)
			}
		})
	}
}

// A key that somebody else made signs nothing that counts, though it has the
// trail's name; and a checkpoint of more entries than there are is told.
func TestWrongKeyAndFuture(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	thief := safe{}
	o, err := h.tr.Origin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key, _, err := note.GenerateKey(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	thief[vault.Ref{Purpose: "trail-key", Owner: o, Name: "ed25519"}] = key
	other, err := h.tr.OpenSigner(t.Context(), thief)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		by    note.Signer
		size  string
		words string
	}{
		"another key": {other, "3", "not signed by"},
		"the future":  {h.signer, "600", "cut off"},
		"a fork":      {h.signer, "3", "does not fit"},
	} {
		raw, err := note.Sign(&note.Note{Text: o + "\n" + c.size + "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"}, c.by)
		if err != nil {
			t.Fatal(err)
		}
		r := h.verify(kept{string(raw)})
		if !errors.Is(r.Err(), problem.Unmet) || !strings.Contains(r.Err().Error(), c.words) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// kept is what somebody wrote down.
type kept struct{ text string }

func (kept) Name() string                                         { return "kept" }
func (kept) Every() time.Duration                                 { return 0 }
func (kept) Send(context.Context, *trail.Sending) ([]byte, error) { return nil, nil }
func (k kept) Held(ctx context.Context, known []note.Verifier, _ []trail.Kept, each func(trail.Mark) error) error {
	return anchor.Checkpoints(ctx, strings.NewReader(k.text), known, each)
}

// An anchor that is away is a gap: in the trail once, told each time, ended when
// it is back.
func TestGap(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := build(t, d)
		dir := filepath.Join(t.TempDir(), "disk")
		a := anchor.NewFile(filepath.Join(dir, "checkpoints"), time.Hour)
		for range 3 {
			if st := h.send(a)[0]; st.Failing.IsZero() || st.Misfit || !strings.Contains(st.Reason, "cannot be opened") {
				t.Fatalf("%+v", st)
			}
		}
		if r := h.verify(a); r.Err() != nil || r.Anchors[0].Unsaid == "" {
			t.Errorf("what could not be compared is not said: %+v", r)
		}
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		// What fails is tried again before its time.
		list, err := h.tr.Anchor(t.Context(), h.signer, []trail.Anchor{a}, false, slog.New(slog.DiscardHandler))
		if err != nil || !list[0].Failing.IsZero() {
			t.Fatalf("%+v %v", list, err)
		}
		for action, want := range map[audit.Action]int{audit.TrailGap: 1, audit.TrailGapEnded: 1, audit.TrailMismatch: 0} {
			if f, err := h.tr.Search(t.Context(), trail.Query{Action: string(action)}); err != nil || len(f.Entries) != want {
				t.Errorf("%s: %d entries, %v", action, len(f.Entries), err)
			}
		}
		if r := h.verify(a); r.Err() != nil || r.Anchors[0].Marks != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// A key that was made and is gone is not made anew.
func TestKeyGone(t *testing.T) {
	t.Parallel()
	h := build(t, dbtest.SQLite(t))
	clear(h.safe)
	if _, err := h.tr.Signer(t.Context(), h.safe); !errors.Is(err, problem.Conflict) {
		t.Errorf("%v", err)
	}
}

func FuzzCheckpoints(f *testing.F) {
	f.Add(`{"form":"partnerguard-checkpoint-1","at":"2026-11-22T12:00:00Z","note":"o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— o AAAA\n"}` + "\n")
	f.Add("o\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— o AAAA\n")
	f.Add("{}\n\n{")
	_, vkey, err := note.GenerateKey(nil, "o")
	if err != nil {
		f.Fatal(err)
	}
	v, err := note.NewVerifier(vkey)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_ = anchor.Checkpoints(t.Context(), strings.NewReader(s), []note.Verifier{v}, func(m trail.Mark) error {
			if m.Bad == "" && m.Origin == "o" {
				t.Errorf("nobody signed %q", s)
			}
			return nil
		})
	})
}
