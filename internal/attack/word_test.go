package attack

import (
	"fmt"
	"slices"
	"strings"
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
	_, err := other.SAM.Remove(t.Context(), h.first)
	h.ok(err)
	h.ok(other.Close())
	b := &both{house: h}
	b.put(h, state, "connections", "vault_rows")
	_ = p.Close()
	// A connection is looked up every five seconds.
	for end := time.Now().Add(30 * time.Second); door("billing").token != ""; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a removed connection that was put back is used")
		}
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
	if err := s.SAM.Withdraw(t.Context(), h.invited); err == nil {
		t.Fatal("withdrawn without a word in the trail")
	}
	var n int
	h.ok(s.DB.QueryRow("SELECT count(*) FROM invitations WHERE id = '" + h.invited + "'").Scan(&n))
	if n != 1 {
		t.Error("an invitation was withdrawn, and the trail does not know: put back, it counts again")
	}
}

// TestAppendedWord: who writes the database and knows the program appends words
// of his own, and repeats older ones. The tree bears them out, and none is
// believed.
func TestAppendedWord(t *testing.T) {
	t.Parallel()
	b := age(t, "")
	for name, say := range map[string]func(t *testing.T, h *house, tr *trail.Trail, approval string){
		"words of his own": func(t *testing.T, h *house, tr *trail.Trail, approval string) {
			head, err := tr.Head(t.Context())
			h.ok(err)
			with := func(name, value string) map[string]string {
				return map[string]string{name: value, "after": fmt.Sprint(head.Seq), "word": "AAAA"}
			}
			for _, e := range []audit.Event{
				{Action: audit.ApprovalGiven, Outcome: audit.Done, Actor: "x", Object: h.first, Details: with("approval", approval)},
				{Action: audit.InvitationMade, Outcome: audit.Done, Actor: "x", Object: h.invited, Details: with("clientId", panelApp)},
				{Action: audit.ConnectionAccepted, Outcome: audit.Done, Actor: "x", Object: h.first, Details: with("generation", "2")},
				{Action: audit.ConnectionAccepted, Outcome: audit.Done, Actor: "x", Object: h.second, Details: with("generation", "2")},
				{Action: audit.ConnectionAccepted, Outcome: audit.Done, Actor: "x", Object: h.second, Details: map[string]string{"generation": "2"}},
			} {
				h.ok(tr.Record(t.Context(), e))
			}
		},
		"older words again": func(t *testing.T, h *house, tr *trail.Trail, _ string) {
			f, err := tr.Search(t.Context(), trail.Query{Limit: 1000})
			h.ok(err)
			n := 0
			for _, e := range slices.Backward(f.Entries) { // oldest first, and all of them
				switch e.Action {
				case audit.ApprovalGiven, audit.InvitationMade, audit.ConnectionAccepted, audit.ConnectionConsented, audit.ConnectionRenewed:
					if g := e.Details["generation"]; g == "" || g <= "2" {
						h.ok(tr.Record(t.Context(), e.Event))
						n++
					}
				}
			}
			if n < 5 {
				t.Fatalf("%d words repeated", n)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := b.at(t, clone(t, b.dir), "")
			h.remembers()
			b.put(h, b.old, "approvals", "invitations", "connections", "vault_rows")
			d, err := db.Open(t.Context(), h.file()) // no vault, no key
			h.ok(err)
			tr, err := trail.Open(t.Context(), d, trail.Options{})
			h.ok(err)
			var id string
			h.ok(d.QueryRow("SELECT id FROM approvals WHERE caller = 'ops'").Scan(&id))
			say(t, h, tr, id)
			h.ok(d.Close())
			day := h.live()
			if day.tokens["ops"].status == 200 || day.opened["waits"] != "" {
				t.Errorf("a withdrawn approval, or a used invitation, counts again: ops %d, %q", day.tokens["ops"].status, day.opened["waits"])
			}
			for _, id := range []string{h.first, h.second} {
				if day.renewed[id] != renew.Held {
					t.Errorf("an earlier token of %s was used: %s", id, day.renewed[id])
				}
			}
		})
	}
}

// TestWordKeyGone: the key that tells the trail's own words is not made anew while
// the trail says that there was one, until a person takes the database as it is.
func TestWordKeyGone(t *testing.T) {
	t.Parallel()
	h := build(t, newCloud(t), t.TempDir(), "")
	p := h.pen()
	res, err := p.Exec("DELETE FROM vault_rows WHERE purpose = 'trail-words'")
	h.ok(changed(res, err))
	_ = p.Close()
	d := h.live()
	if !d.names("is gone from the vault") || d.renewed[h.first] != renew.Held || d.tokens["billing"].token != "" {
		t.Fatalf("%v %v", d.renewed, d.said)
	}
	s := h.must()
	_, _, err = s.SAM.AcceptAll(t.Context())
	h.ok(err)
	h.ok(s.Close())
	if d := h.live(); d.names("is gone from the vault") || d.renewed[h.first] != renew.Renewed {
		t.Errorf("after a person accepted it: %v %v", d.renewed, d.said)
	}
	// Also where nothing is left that a word could be about.
	s = h.must()
	for _, id := range []string{h.first, h.second} {
		_, err := s.SAM.Remove(t.Context(), id)
		h.ok(err)
	}
	h.ok(s.Close())
	p = h.pen()
	res, err = p.Exec("DELETE FROM vault_rows WHERE purpose = 'trail-words'")
	h.ok(changed(res, err))
	_ = p.Close()
	s = h.must()
	_, _, err = s.SAM.AcceptAll(t.Context())
	h.ok(err)
	h.ok(s.Close())
	s = h.must()
	if notes := strings.Join(s.Notes(), " "); strings.Contains(notes, "is gone from the vault") {
		t.Errorf("it cannot be accepted: %s", notes)
	}
	h.ok(s.Close())
}
