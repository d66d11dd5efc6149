package attack

import (
	"testing"
	"time"

	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/trail"
)

// TestRemovedPutBackWhileServing: a connection that is removed and put back while
// a server keeps its tokens in memory is not used.
func TestRemovedPutBackWhileServing(t *testing.T) {
	t.Parallel()
	h := build(t, newCloud(t), t.TempDir(), "")
	p := h.pen()
	state := p.tables()
	s := h.must()
	defer func() { h.ok(s.Close()) }()
	door := h.door(s)
	if a := door("billing"); a.status != 200 {
		t.Fatal(a)
	}
	other := h.must()
	_, err := other.Remove(t.Context(), h.first)
	h.ok(err)
	h.ok(other.Close())
	b := &both{house: h}
	b.put(h, state, "connections", "vault_rows")
	_ = p.Close()
	time.Sleep(6 * time.Second) // a connection is looked up every five
	if a := door("billing"); a.token != "" {
		t.Errorf("a removed connection that was put back is used: %s", a.token)
	}
}

// TestWithdrawnIsRecorded: where the trail cannot be written, an invitation is not
// withdrawn either.
func TestWithdrawnIsRecorded(t *testing.T) {
	t.Parallel()
	h := build(t, newCloud(t), t.TempDir(), "")
	s := h.must()
	defer func() { _ = s.Close() }()
	_, err := s.DB.Exec("CREATE TRIGGER full BEFORE INSERT ON trail_pages BEGIN SELECT RAISE(ABORT, 'disk full'); END")
	h.ok(err)
	if err := s.Withdraw(t.Context(), h.invited); err == nil {
		t.Fatal("withdrawn without a word in the trail")
	}
	var n int
	h.ok(s.DB.QueryRow("SELECT count(*) FROM invitations WHERE id = '" + h.invited + "'").Scan(&n))
	if n != 1 {
		t.Error("an invitation was withdrawn, and the trail does not know: put back, it counts again")
	}
}

// TestAppendedWord shows what remains: who writes the database and knows the
// program appends words of his own. The tree bears them out, and verify holds;
// they stand in the trail, for whoever reads it.
func TestAppendedWord(t *testing.T) {
	t.Parallel()
	b := age(t, "")
	h := b.at(t, clone(t, b.dir), "")
	h.remembers()
	b.put(h, b.old, "connections", "vault_rows")
	d, err := db.Open(t.Context(), h.file()) // no vault, no key
	h.ok(err)
	tr, err := trail.Open(t.Context(), d, trail.Options{})
	h.ok(err)
	h.ok(tr.Record(t.Context(), audit.Event{Action: audit.ConnectionAccepted, Outcome: audit.Done, Actor: "the thief", Object: h.first, Details: map[string]string{"generation": "2"}}))
	h.ok(d.Close())
	if day := h.live(); day.renewed[h.first] != renew.Renewed || day.trail != "" {
		t.Errorf("this limit is gone, and docs/security.md may say so: %v, trail %q", day.renewed, day.trail)
	}
	s := h.must()
	defer func() { h.ok(s.Close()) }()
	f, err := s.Trail.Search(t.Context(), trail.Query{Action: string(audit.ConnectionAccepted), Object: h.first})
	h.ok(err)
	if len(f.Entries) == 0 || f.Entries[0].Actor != "the thief" {
		t.Errorf("the word that was appended is not listed: %+v", f.Entries)
	}
}
