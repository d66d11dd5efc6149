package archive_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/archive"
	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/vault"
)

// memory is a vault of one secret.
type memory struct {
	has  bool
	kept secret.Text
}

func (v *memory) Get(context.Context, vault.Ref) (secret.Text, error) {
	if !v.has {
		return secret.Text{}, problem.New(problem.NotFound, "none")
	}
	return v.kept, nil
}

func (v *memory) Put(_ context.Context, _ vault.Ref, s secret.Text) error {
	v.has, v.kept = true, s
	return nil
}

// A page is proved from itself to a signed checkpoint with nothing else, and every
// byte of the proof that means something counts.
func TestProveAPage(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	r.keep("groups", "{}")
	s := r.keep("users", `{"value":[{"id":"one"}]}`, `{"value":[{"id":"two"}]}`, `{"value":[{"id":"three"}]}`)
	large := `{"value":[{"id":"four"}` + strings.Repeat(`,{"id":"others"}`, 20000) + `]}`
	r.keep("groups", "{}")
	big := r.keep("users", "{}", large, "{}")
	signer, err := r.trail.Signer(t.Context(), &memory{})
	if err != nil {
		t.Fatal(err)
	}
	_, signed, err := r.trail.Sign(t.Context(), signer)
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.Prove(t.Context(), r.trail, s, archive.Which{Record: "two"}, signed)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	q, err := archive.ReadProof(raw)
	if err != nil {
		t.Fatal(err)
	}
	got, err := q.Verify(signer.Verifier())
	if err != nil || string(got.Page.Body) != `{"value":[{"id":"two"}]}` || got.Page.Number != 1 || got.Seq != s.Seq || !got.Signed {
		t.Errorf("%+v %v", got, err)
	}
	held := 0
	for i := range raw {
		b := bytes.Clone(raw)
		b[i] ^= 1
		q, err := archive.ReadProof(b)
		if err != nil {
			continue
		}
		if again, err := q.Verify(signer.Verifier()); err == nil {
			// What is only spelt otherwise, such as a letter of base64 that has no meaning or
			// a name with another case, may hold: but it says the same.
			if string(again.Page.Body) != string(got.Page.Body) || again.Page.Number != got.Page.Number || again.Seq != got.Seq {
				t.Errorf("byte %d (%c): %+v", i, raw[i], again)
			}
			held++
		}
	}
	if held > 30 {
		t.Errorf("%d bytes do not count", held)
	}
	other, err := note.NewVerifier(signer.Key()[:strings.LastIndex(signer.Key(), "+")] + "+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	if err == nil {
		if _, err := q.Verify(other); err == nil {
			t.Error("another key's checkpoint is believed")
		}
	}
	// A large page is in the proof as it is kept.
	if p, err = r.Prove(t.Context(), r.trail, big, archive.Which{Record: "four"}, signed); err != nil {
		t.Fatal(err)
	}
	if got, err := p.Verify(signer.Verifier()); err != nil || string(got.Page.Body) != large || len(p.Body) > 0 || len(p.Packed) > len(large)/10 {
		t.Errorf("%d bytes: %v", len(p.Packed), err)
	}
	for i := range p.Packed {
		p.Packed[i] ^= 1
		if _, err := p.Verify(signer.Verifier()); err == nil {
			t.Errorf("byte %d of the page does not count", i)
		}
		p.Packed[i] ^= 1
	}
	p.Body = []byte("{}")
	if _, err := p.Verify(signer.Verifier()); err == nil {
		t.Error("a page with two bodies is believed")
	}
	if _, err := r.Prove(t.Context(), r.trail, s, archive.Which{Page: 9}, signed); !errors.Is(err, problem.NotFound) {
		t.Error(err)
	}
}

func TestRestoreFromACopy(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	a, b, c := r.keep("users", "{}"), r.keep("groups", "{}"), r.keep("users", "[]")
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(r.dir)); err != nil {
		t.Fatal(err)
	}
	r.write(filepath.Join(copied, filepath.FromSlash(c.Object)), []byte("x"))
	if err := os.Remove(r.path(a)); err != nil {
		t.Fatal(err)
	}
	r.write(r.path(b), []byte("rubbish"))
	r.write(r.path(c), []byte("rubbish"))
	got, err := r.Restore(t.Context(), copied, archive.Verifying{})
	if err != nil || len(got.Restored) != 2 || len(got.Damaged) != 1 || got.Damaged[0] != c.Name || !errors.Is(got.Err(), problem.Unmet) {
		t.Errorf("%+v %v", got, err)
	}
	r.one(archive.Changed, c.Name)
	if _, err := r.Restore(t.Context(), filepath.Join(copied, "none"), archive.Verifying{}); !errors.Is(err, problem.NotFound) {
		t.Error(err)
	}
}

// Policy takes away what is old and no longer shown; a tombstone stays, which
// verify knows, and which nobody can make by hand.
func TestRetain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := open(t, d)
		r.Config.Keep = 60 * 24 * time.Hour
		old := r.keep("users", "{}")
		last := r.keep("groups", "{}")
		r.now = r.now.AddDate(0, 0, 100)
		fresh := r.keep("users", "{}")
		n, err := r.Retain(t.Context())
		if err != nil || n != 1 {
			t.Fatal(n, err)
		}
		if s, err := r.Segment(t.Context(), old.Name); err != nil || s.Removed.IsZero() || s.Policy == "" || s.SHA256 != old.SHA256 {
			t.Errorf("%+v %v", s, err)
		}
		if _, err := os.Stat(r.path(old)); !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		got := r.verify()
		if got.Err() != nil || got.Segments != 2 || got.Removed != 1 {
			t.Errorf("%+v", got)
		}
		if n, err := r.Retain(t.Context()); err != nil || n != 0 {
			t.Error(n, err)
		}
		found, err := r.trail.Search(t.Context(), trail.Query{Action: string(audit.ArchiveRemoved)})
		if err != nil || len(found.Entries) != 1 || found.Entries[0].Object != old.Name {
			t.Errorf("%+v %v", found, err)
		}
		if err := r.Read(t.Context(), old, nil, nil); !errors.Is(err, problem.NotFound) {
			t.Errorf("%v", err)
		}
		if _, err := os.Stat(r.path(last)); err != nil {
			t.Errorf("the newest list of groups is gone: %v", err)
		}
		if _, err := os.Stat(r.path(fresh)); err != nil {
			t.Error(err)
		}
	})
}
