package attack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/sam/renew"
)

// both are the states of an installation before and after much happened.
type both struct {
	*house
	tables []*table // as they are now
	old    []*table // as they were
}

// age builds an installation, remembers it, and lets it live on: renewals, an
// approval withdrawn, an invitation used, an app's secret replaced.
func age(t *testing.T, url string) *both {
	t.Helper()
	b := &both{house: build(t, newCloud(t), t.TempDir(), url)}
	b.old = b.read()
	s := b.must()
	ctx := t.Context()
	r, err := s.SAM.Renewer()
	b.ok(err)
	for range 2 {
		for _, id := range []string{b.first, b.second} {
			if res, err := r.Once(ctx, id); err != nil || res.Outcome != renew.Renewed {
				t.Fatal(res, err)
			}
		}
	}
	b.later(s)
	b.ok(s.Close())
	b.tables = b.read()
	b.net.seen()
	return b
}

func (b *both) read() []*table {
	p := b.pen()
	defer p.Close()
	return p.tables()
}

// put writes the rows of tables back as they were in a state.
func (b *both) put(h *house, state []*table, names ...string) {
	b.Helper()
	p := h.pen()
	defer p.Close()
	for _, x := range state {
		if !slices.Contains(names, x.name) {
			continue
		}
		if err := p.replace(x); err != nil {
			b.Fatal(x.name, err)
		}
	}
}

// replace gives a table the rows of x.
func (p *pen) replace(x *table) error {
	if _, err := p.Exec("DELETE FROM " + x.name); err != nil {
		return err
	}
	for _, row := range x.rows {
		if err := changed(p.Exec(insert(x, strings.Join(x.columns, ", ")), row...)); err != nil {
			return err
		}
	}
	return nil
}

// remembers lets a copy know what the machine saw of the database last: the file
// that says so is named after where the database is.
func (h *house) remembers() {
	list, _ := filepath.Glob(filepath.Join(h.data(), "seen-*.json"))
	if len(list) != 1 {
		h.Fatal(list)
	}
	sum := sha256.Sum256([]byte(h.file()))
	h.ok(os.Rename(list[0], filepath.Join(h.data(), "seen-"+hex.EncodeToString(sum[:6])+".json")))
}

// label names a set of tables in short.
func label(set []string) string {
	if len(set) > 4 {
		return fmt.Sprintf("%d tables from %s", len(set), set[0])
	}
	return strings.Join(set, "+")
}

func names(state []*table) (out []string) {
	for _, x := range state {
		out = append(out, x.name)
	}
	return out
}

// sets are what is put back: each table alone, those that belong together, all.
func (b *both) sets() (out [][]string) {
	for _, n := range names(b.tables) {
		out = append(out, []string{n})
	}
	var trail []string
	for _, n := range names(b.tables) {
		if strings.HasPrefix(n, "trail_") {
			trail = append(trail, n)
		}
	}
	return append(out,
		[]string{"connections", "vault_rows"}, []string{"registrations", "vault_rows"}, []string{"connections", "registrations", "vault_rows", "vault_keyset"},
		[]string{"connections", "trail_pages"}, []string{"vault_rows", "trail_pages", "trail_head"}, trail,
		[]string{"approvals", "invitations", "consent_intents"}, append([]string{"connections", "vault_rows"}, "trail_pages"),
		slices.DeleteFunc(names(b.tables), func(n string) bool { return strings.HasPrefix(n, "trail_") }), names(b.tables))
}

// TestRollback puts earlier states of tables back: no earlier token is used and
// nothing that was taken away counts again.
func TestRollback(t *testing.T) {
	t.Parallel()
	b := age(t, "")
	good := b.at(t, clone(t, b.dir), "").live()
	b.sane(t, good)
	for _, set := range b.sets() {
		t.Run(label(set), func(t *testing.T) {
			h := b.at(t, clone(t, b.dir), "")
			h.remembers()
			b.put(h, b.old, set...)
			b.judge(t, h, set, good)
		})
	}
}

// TestRollbackPostgres is the same over PostgreSQL, without a copy for each.
func TestRollbackPostgres(t *testing.T) {
	t.Parallel()
	b := age(t, dbtest.PostgresURL(t))
	h := b.at(t, clone(t, b.dir), b.url)
	good := h.live()
	b.sane(t, good)
	all := names(b.tables)
	for _, set := range b.sets() {
		b.put(h, b.tables, all...)
		h.dir = clone(t, b.dir)
		b.put(h, b.old, set...)
		b.judge(t, h, set, good)
	}
}

func (b *both) sane(t *testing.T, good *day) {
	t.Helper()
	if good.refused != "" || good.trail != "" || good.renewed[b.first] != renew.Renewed || good.renewed[b.second] != renew.Renewed ||
		good.tokens["billing"].status != 200 || good.tokens["ops"].status != 403 || good.opened["waits"] != "" {
		t.Fatalf("%+v", good)
	}
}

// judge says what must be so after a set of tables was put back.
func (b *both) judge(t *testing.T, h *house, set []string, good *day) {
	t.Helper()
	where := label(set)
	d := h.live()
	d.intents = "" // one that is put back is told to a person, and does nothing
	for _, harm := range h.harm(good, d) {
		t.Errorf("%s: %s", where, harm)
	}
	has := func(n string) bool { return slices.Contains(set, n) }
	if has("connections") || has("vault_rows") || has("trail_pages") {
		for _, id := range []string{h.first, h.second} {
			if d.refused == "" && d.status[id].Health != renew.Stopped && d.renewed[id] == renew.Renewed && !d.names("does not open", "earlier state") {
				t.Errorf("%s: %s was renewed without a word: %q", where, id, d.said)
			}
		}
	}
	if (has("trail_pages") || has("trail_head")) && d.trail == "" && d.refused == "" {
		t.Errorf("%s: the trail holds: %q", where, d.said)
	}
}

// TestRollbackOfAll puts the whole older database file back, with what this
// machine remembers of it and without.
func TestRollbackOfAll(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	base := build(t, c, t.TempDir(), "")
	old := clone(t, base.dir)
	s := base.must()
	r, err := s.SAM.Renewer()
	base.ok(err)
	for _, id := range []string{base.first, base.second} {
		_, err := r.Once(t.Context(), id)
		base.ok(err)
	}
	if _, err := s.Keeper.Send(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	base.ok(s.Close())
	for _, x := range []struct {
		name           string
		seen, anchored bool // are of now, or were put back too
	}{{"the file alone", true, true}, {"with what was seen", false, true}, {"with what was seen and the anchor", false, false}} {
		t.Run(x.name, func(t *testing.T) {
			h := base.at(t, clone(t, old), "")
			if x.anchored {
				copyTo(t, filepath.Join(base.dir, "anchor"), filepath.Join(h.dir, "anchor"))
			}
			if x.seen {
				h.ok(os.RemoveAll(h.data()))
				copyTo(t, base.data(), h.data())
				h.remembers()
				raw, err := os.ReadFile(filepath.Join(old, "data", "partnerguard.db"))
				h.ok(err)
				h.ok(os.WriteFile(h.file(), raw, 0o600))
			}
			d := h.live()
			held := d.status[h.first].Health == renew.Stopped && strings.Contains(d.status[h.first].Because, "older than it was") &&
				d.renewed[h.first] == renew.Held && d.tokens["billing"].token == ""
			if held != x.seen {
				t.Errorf("held back: %v: %q", held, d.said)
			}
			if cut := strings.Contains(d.trail, "does not fit the anchor"); cut != x.anchored {
				t.Errorf("the anchor tells: %v: %q %q", cut, d.trail, d.said)
			}
			if x.seen {
				h.accepted(t)
			}
		})
	}
}

// accepted: one alone is not taken, all are, after which they work and the trail
// says so.
func (h *house) accepted(t *testing.T) {
	t.Helper()
	s := h.must()
	defer func() { h.ok(s.Close()) }()
	ctx := t.Context()
	if _, err := s.SAM.Accept(ctx, h.first); err == nil {
		t.Error("a connection of an older database was accepted alone")
	}
	done, not, err := s.SAM.AcceptAll(ctx)
	if err != nil || len(done) != 2 || len(not) != 0 {
		t.Fatal(done, not, err)
	}
	h.works(t, s, "database.accepted", "connection.accepted")
}

// works: everything is renewed, and the trail has these acts.
func (h *house) works(t *testing.T, s *app.Installation, acts ...string) {
	t.Helper()
	r, err := s.SAM.Renewer()
	h.ok(err)
	for _, id := range []string{h.first, h.second} {
		if res, err := r.Once(t.Context(), id); err != nil || res.Outcome != renew.Renewed {
			t.Errorf("%s: %v %s %v", id, res.Outcome, res.Note, err)
		}
	}
	h.recorded(t, s, acts...)
}

// TestRemovedPutBack: a removed connection that is put back with its token is
// held back, and works after a person's word.
func TestRemovedPutBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, url string) {
		h := build(t, newCloud(t), t.TempDir(), url)
		p := h.pen()
		state := p.tables()
		s := h.must()
		_, err := s.SAM.Remove(t.Context(), h.first)
		h.ok(err)
		h.ok(s.Close())
		b := &both{house: h}
		b.put(h, state, "connections", "vault_rows")
		_ = p.Close()
		d := h.live()
		if d.renewed[h.first] != renew.Held || !strings.Contains(d.status[h.first].Because, "was removed") || d.tokens["billing"].token != "" {
			t.Errorf("%q", d.said)
		}
		if d.renewed[h.second] != renew.Renewed {
			t.Errorf("the other one: %q", d.said)
		}
		s = h.must()
		defer func() { h.ok(s.Close()) }()
		_, err = s.SAM.Accept(t.Context(), h.first)
		h.ok(err)
		h.works(t, s, "connection.accepted")
	})
}
