package attack

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/vault"
)

// whole says that everything is to be tried, and not the short part.
func whole() bool { return os.Getenv("PARTNERGUARD_ATTACK") == "whole" }

// try is one thing that a thief does with the database.
type try struct {
	table, name string
	do          func(p *pen) error
	named       bool // it must be told by name
	changes     bool // the loosened table: the engine's rules are gone first
}

// attempts are all that can be done to a table by single statements.
func attempts(x *table, thief string) (out []try) {
	words := strings.Join(x.columns, ", ")
	for _, r := range pick(x) {
		row := x.rows[r]
		for c, column := range x.columns {
			for _, v := range x.values(c, r, thief) {
				where, args := x.at(row, 1)
				out = append(out, try{table: x.name, name: fmt.Sprintf("%s.%s of row %d = %s", x.name, column, r, brief(v)), named: mustName(x, column, row),
					do: func(p *pen) error {
						return changed(p.Exec("UPDATE "+x.name+" SET "+column+" = $1 WHERE "+where, append([]any{v}, args...)...))
					}})
			}
		}
		where, args := x.at(row, 0)
		out = append(out, try{table: x.name, name: fmt.Sprintf("%s without row %d", x.name, r),
			do: func(p *pen) error { return changed(p.Exec("DELETE FROM "+x.name+" WHERE "+where, args...)) }})
		for _, k := range x.key { // a copy under another key
			c := slices.Index(x.columns, k)
			other := slices.Clone(row)
			switch v := row[c].(type) {
			case string:
				other[c] = v + "2"
			case int64:
				other[c] = v + 1000
			default:
				continue
			}
			out = append(out, try{table: x.name, name: fmt.Sprintf("%s with a copy of row %d under another %s", x.name, r, k), named: marked(x.name),
				changes: true,
				do:      func(p *pen) error { return changed(p.Exec(insert(x, words), other...)) }})
		}
		if r+1 < len(x.rows) {
			out = append(out, exchange(x, row, x.rows[r+1], r))
		}
	}
	out = append(out, try{table: x.name, name: x.name + " emptied", do: func(p *pen) error { return changed(p.Exec("DELETE FROM " + x.name)) }})
	return out
}

// exchange swaps all but the keys of two rows.
func exchange(x *table, a, b []any, r int) try {
	return try{table: x.name, name: fmt.Sprintf("%s with rows %d and %d exchanged", x.name, r, r+1), named: marked(x.name), changes: true,
		do: func(p *pen) error {
			for _, pair := range [][2][]any{{a, b}, {b, a}} {
				var set []string
				var args []any
				for i, c := range x.columns {
					if !slices.Contains(x.key, c) {
						args = append(args, pair[1][i])
						set = append(set, fmt.Sprintf("%s = $%d", c, len(args)))
					}
				}
				if len(set) == 0 {
					return errNothing
				}
				where, at := x.at(pair[0], len(args))
				if err := changed(p.Exec("UPDATE "+x.name+" SET "+strings.Join(set, ", ")+" WHERE "+where, append(args, at...)...)); err != nil {
					return err
				}
			}
			return nil
		}}
}

func insert(x *table, words string) string {
	var n []string
	for i := range x.columns {
		n = append(n, fmt.Sprintf("$%d", i+1))
	}
	return "INSERT INTO " + x.name + " (" + words + ") VALUES (" + strings.Join(n, ", ") + ")"
}

var errNothing = fmt.Errorf("nothing was changed")

func changed(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errNothing
	}
	return nil
}

func brief(v any) string {
	s := fmt.Sprintf("%v", v)
	if b, ok := v.([]byte); ok {
		s = fmt.Sprintf("x'%x'", b)
	}
	return s[:min(len(s), 60)]
}

// pick chooses the rows of a table that are tried: all of a few, the first and
// last of many.
func pick(x *table) (out []int) {
	for i := range x.rows {
		if len(x.rows) <= 8 || i == 0 || i == len(x.rows)-1 {
			out = append(out, i)
		}
	}
	return out
}

func marked(table string) bool {
	return slices.ContainsFunc(app.Books(), func(b *vault.Book) bool { return b.Table == table })
}

// mustName says that a change of this column must be told by name, and not only
// do no harm.
func mustName(x *table, column string, row []any) bool {
	switch {
	case x.name == "connections" && slices.Contains([]string{"lease_by", "lease_until", "changes"}, column):
		return false // they spare double work
	case x.name == "console_tokens" && column == "used":
		return false // when it was used, for people
	case x.name == "bridge_devices" && strings.HasPrefix(column, "used"):
		return false // when, from where and by what it was used, for people
	case (x.name == "delegation_moves" || x.name == "budget_items") && slices.Contains([]string{"next", "holder", "held_until"}, column):
		return false // when it is looked at again, and by whom
	case x.name == "fraud_answers" && slices.Contains([]string{"next", "holder", "held_until"}, column):
		return false // likewise
	case x.name == "fraud_pulls" && !slices.Contains([]string{"source", "first", "mark"}, column):
		return false // how reading went, for people
	case x.name == "remedy_runs" && slices.Contains([]string{"applied", "next", "holder", "held_until"}, column):
		return false // likewise
	case x.name == "contain_runs" && slices.Contains([]string{"applied", "next", "holder", "held_until"}, column):
		return false // the order in which they are shown, and the same
	case marked(x.name), x.name == "vault_keyset" && slices.Contains([]string{"vault", "master_kind", "master_id", "wrapped", "keyset"}, column):
		return true // its other columns decide nothing: the master key of the settings opens it, or nothing does
	case x.name == "vault_rows":
		return column == "sealed"
	case x.name == "trail_head":
		return column != "id" // of which checkpoints name the first half
	case x.name == "trail_tiles":
		return true
	case x.name == "trail_pages":
		return column == "entries" || column == "first" || column == "last"
	}
	return false
}

// restore is how an installation is put back to its beginning before each try.
type restore func(h *house)

// TestDatabaseWriter writes each column of each table: what is written is
// refused by name, or has no effect on where a secret goes and who gets one.
func TestDatabaseWriter(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	base := build(t, c, t.TempDir(), "")
	first := base.at(t, clone(t, base.dir), "")
	first.serves = whole()
	good := first.good(t)
	p := base.pen()
	tables := p.tables()
	_ = p.Close()
	empties(t, tables)
	assail(t, base, good, choose(tables, base.thief.address), func(t *testing.T) (*house, restore) {
		h := base.at(t, t.TempDir(), "")
		return h, func(h *house) {
			h.ok(os.RemoveAll(h.dir))
			copyTo(t, base.dir, h.dir)
		}
	})
}

// TestDatabaseWriterPostgres is the heart of it over PostgreSQL.
func TestDatabaseWriterPostgres(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	c := newCloud(t)
	base := build(t, c, t.TempDir(), url)
	p := base.pen()
	tables := p.tables()
	_ = p.Close()
	empties(t, tables)
	admin, err := sql.Open("pgx", strings.Replace(url, "/"+name(url), "/postgres", 1))
	base.ok(err)
	t.Cleanup(func() { _ = admin.Close() })
	spare := func(t *testing.T, i string) string {
		other := name(url) + "_" + i
		t.Cleanup(func() { _, _ = admin.Exec("DROP DATABASE IF EXISTS " + other + " WITH (FORCE)") })
		return strings.Replace(url, "/"+name(url), "/"+other, 1)
	}
	back := func(h *house) {
		_, err := admin.Exec("DROP DATABASE IF EXISTS " + name(h.url) + " WITH (FORCE)")
		h.ok(err)
		_, err = admin.Exec("CREATE DATABASE " + name(h.url) + " TEMPLATE " + name(url))
		h.ok(err)
		h.ok(os.RemoveAll(h.dir))
		copyTo(t, base.dir, h.dir)
	}
	first := base.at(t, t.TempDir(), spare(t, "good"))
	back(first)
	good := first.good(t)
	list := choose(tables, base.thief.address)
	list = slices.DeleteFunc(list, func(x try) bool { return !marked(x.table) && x.table != "vault_rows" })
	list = every(list, 5) // a place of its own for each try takes PostgreSQL long
	if testing.Short() {
		list = every(list, 3)
	}
	var n atomic.Int64
	assail(t, base, good, list, func(t *testing.T) (*house, restore) {
		return base.at(t, t.TempDir(), spare(t, fmt.Sprint(n.Add(1)))), back
	})
}

func name(url string) string {
	path, _, _ := strings.Cut(url, "?")
	return path[strings.LastIndex(path, "/")+1:]
}

func every(list []try, n int) (out []try) {
	for i := range list {
		if i%n == 0 {
			out = append(out, list[i])
		}
	}
	return out
}

// empties fails for a table with nothing in it: who adds one fills it in fill.
func empties(t *testing.T, tables []*table) {
	t.Helper()
	for _, x := range tables {
		if len(x.rows) == 0 && !strings.HasPrefix(x.name, "river_") && x.name != "trail_chain" {
			t.Errorf("the table %s is empty: put something into it in fill of house_test.go, by the feature's own act and of today, so that it is attacked",
				x.name)
		}
	}
}

// choose lists the tries: all, or in the short part those that have found
// something in the past and a sample of the others.
func choose(tables []*table, thief string) (list []try) {
	for _, x := range tables {
		all := attempts(x, thief)
		if !whole() {
			n := 41
			if marked(x.name) || strings.HasPrefix(x.name, "vault_") {
				n = 13
			}
			if testing.Short() { // under the race detector
				n *= 4
			}
			all = every(all, n)
		} else if strings.HasPrefix(x.name, "river_") {
			all = every(all, 8) // each of them lets serve's jobs run
		}
		list = append(list, all...)
	}
	return list
}

func clone(t testing.TB, from string) string {
	to := t.TempDir()
	copyTo(t, from, to)
	return to
}

// assail runs every try over an installation of its own state, on two at once.
func assail(t *testing.T, base *house, good *day, list []try, place func(t *testing.T) (*house, restore)) {
	t.Helper()
	begun := time.Now()
	queue := make(chan try)
	var wg sync.WaitGroup
	var tried, refused, quiet, ruled atomic.Int64
	for range 3 {
		h, back := place(t)
		wg.Go(func() {
			for x := range queue {
				back(h)
				err := x.commit(h)
				if err != nil {
					ruled.Add(1)
					continue
				}
				tried.Add(1)
				h.serves = whole() && strings.HasPrefix(x.table, "river_")
				d := h.live()
				for _, harm := range h.harm(good, d) {
					t.Errorf("%s: %s", x.name, harm)
				}
				told := d.names(x.table) || d.refused != "" || x.table == "vault_rows" && d.check.Bad > 0 || strings.HasPrefix(x.table, "trail_") &&
					d.trail != ""
				if x.named && !told {
					t.Errorf("%s: it is not told: %q", x.name, d.said)
				}
				if told {
					refused.Add(1)
				} else {
					quiet.Add(1)
				}
			}
		})
	}
	for _, x := range list {
		queue <- x
	}
	close(queue)
	wg.Wait()
	t.Logf("%d tries in %s: %d told by name, %d without effect, %d that the engine refused", tried.Load(), time.Since(begun).Round(time.Second),
		refused.Load(), quiet.Load(), ruled.Load())
	if tried.Load() < int64(len(list))*3/4 {
		t.Errorf("of %d tries %d were made", len(list), tried.Load())
	}
}

// commit writes; where the engine's rules are in the way they are taken away
// first.
func (x *try) commit(h *house) error {
	p := h.pen()
	defer p.Close()
	err := x.do(p)
	if err == nil || err == errNothing {
		return err
	}
	tables := p.tables()
	i := slices.IndexFunc(tables, func(y *table) bool { return y.name == x.table })
	if i < 0 {
		return err
	}
	if lerr := p.loosen(tables[i]); lerr != nil {
		return lerr
	}
	return x.do(p)
}
