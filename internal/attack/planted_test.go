package attack

import (
	"fmt"
	"strings"
	"testing"

	"partnerguard/internal/db/dbtest"
)

// planted is a trap in the schema, which works when we read or write.
type planted struct {
	name  string
	do    func(h *house) []string // statements of SQLite
	words string                  // what must be told, one of them, by "|"; "" nothing need be
	days  int                     // how often it is lived, where the trap works by chance; 0 is once
}

// liar puts a view in the place of a table, which answers for what a column is
// asked for with another row: where a view is merged into the statement its
// expressions are computed once for the condition and again for the result.
func liar(x *table, asked, row map[string]string) []string {
	var list, where []string
	for _, c := range x.columns {
		if v, ok := asked[c]; ok {
			list = append(list, fmt.Sprintf("CASE WHEN random() %% 2 = 0 THEN '%s' ELSE %s END AS %s", v, c, c))
		} else {
			list = append(list, c)
		}
	}
	for k, v := range row {
		where = append(where, fmt.Sprintf("%s = '%s'", k, v))
	}
	return []string{
		"ALTER TABLE " + x.name + " RENAME TO " + x.name + "_real",
		"CREATE VIEW " + x.name + " AS SELECT " + strings.Join(list, ", ") + " FROM " + x.name + "_real WHERE " + strings.Join(where, " AND "),
	}
}

func plants(tables []*table) []planted {
	of := func(name string) *table {
		for _, x := range tables {
			if x.name == name {
				return x
			}
		}
		return nil
	}
	fixed := func(text ...string) func(*house) []string { return func(*house) []string { return text } }
	return []planted{
		{name: "a view that gives another's approval", days: 24, do: func(h *house) []string {
			return liar(of("approvals"), map[string]string{"caller": "waits", "subject": h.subject("waits")}, map[string]string{"caller": "ops"})
		}},
		{name: "a view that gives another connection", days: 24, do: func(h *house) []string {
			return liar(of("connections"), map[string]string{"id": h.first}, map[string]string{"id": h.second})
		}},
		{name: "a view that gives another app", days: 24, do: func(h *house) []string {
			return liar(of("registrations"), map[string]string{"client_id": panelApp}, map[string]string{"client_id": northApp})
		}},
		{name: "a view that gives an invitation to any link", days: 24, do: func(h *house) []string {
			return liar(of("invitations"), map[string]string{"hash": hashOf("x")}, map[string]string{"id": h.invited})
		}},
		{name: "a trigger that rewrites a body", words: "connections", do: fixed(`CREATE TRIGGER t AFTER UPDATE OF mark ON connections BEGIN
			UPDATE connections SET body = replace(body, '"name":"public"', '"name":"usgov"') WHERE id = new.id; END`)},
		{name: "a trigger that rewrites a name", words: "connections",
			do: fixed(`CREATE TRIGGER t AFTER UPDATE ON connections WHEN new.client_id = '` + panelApp + `' BEGIN
			UPDATE connections SET tenant = 'x' WHERE id = new.id; END`)},
		{name: "a trigger that drops renewals", words: "did not keep the connection",
			do: fixed(`CREATE TRIGGER t BEFORE UPDATE OF body ON connections BEGIN SELECT RAISE(IGNORE); END`)},
		{name: "a trigger that drops entries of the trail", words: "trail",
			do: fixed(`CREATE TRIGGER t BEFORE INSERT ON trail_pages BEGIN SELECT RAISE(IGNORE); END`)},
		{name: "a trigger that deletes entries of the trail", words: "trail",
			do: fixed(`CREATE TRIGGER t AFTER INSERT ON trail_pages BEGIN DELETE FROM trail_pages WHERE first = new.first; END`)},
		{name: "a trigger that rewrites entries of the trail", words: "trail", do: fixed(`CREATE TRIGGER t AFTER INSERT ON trail_pages BEGIN
			UPDATE trail_pages SET entries = replace(entries, 'mtls:billing', 'mtls:nobody8') WHERE first = new.first; END`)},
		{name: "a trigger that keeps the head of the trail", words: "trail",
			do: fixed(`CREATE TRIGGER t BEFORE UPDATE ON trail_head BEGIN SELECT RAISE(IGNORE); END`)},
		{name: "a trigger that approves", words: "approvals", do: fixed(`CREATE TRIGGER t AFTER UPDATE ON approvals BEGIN
			UPDATE approvals SET state = 'approved', until_at = 9000000000000000 WHERE id = new.id; END`, `UPDATE approvals SET asked_at = asked_at`)},
		{name: "a trigger that copies sealed tokens to the other connection", words: "does not open|forged|changed|sealed", do: func(h *house) []string {
			return []string{`CREATE TRIGGER t AFTER INSERT ON vault_rows WHEN new.owner = '` + h.first + `' BEGIN
				UPDATE vault_rows SET sealed = new.sealed WHERE owner = '` + h.second + `'; END`}
		}},
		{name: "a trigger that drops sealed tokens", words: "did not keep the sealed secret",
			do: fixed(`CREATE TRIGGER t BEFORE INSERT ON vault_rows BEGIN SELECT RAISE(IGNORE); END`)},
		{name: "a table of looser types", do: fixed(`CREATE TABLE approvals_2 AS SELECT * FROM approvals`, `DROP TABLE approvals`,
			`CREATE TABLE approvals (id TEXT COLLATE NOCASE, caller TEXT COLLATE RTRIM, subject, connection, tenant TEXT COLLATE NOCASE, resource, state,
				asked_at, actor, decided_at, decided_by, until_at, mark, UNIQUE (caller, subject, connection, tenant, resource))`,
			`INSERT INTO approvals SELECT * FROM approvals_2`)},
	}
}

// TestPlanted plants triggers and views.
func TestPlanted(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	base := build(t, c, t.TempDir(), "")
	good := base.at(t, clone(t, base.dir), "").good(t)
	p := base.pen()
	tables := p.tables()
	_ = p.Close()
	for _, x := range plants(tables) {
		t.Run(x.name, func(t *testing.T) {
			h := base.at(t, clone(t, base.dir), "")
			p := h.pen()
			for _, text := range x.do(h) {
				if _, err := p.Exec(text); err != nil {
					t.Fatal(text, err)
				}
			}
			_ = p.Close()
			said := &day{}
			for range max(x.days, 2) { // what it does in one day is seen in the next
				d := h.live()
				for _, harm := range h.harm(good, d) {
					t.Error(harm)
				}
				said.said = append(said.said, d.said...)
				said.trail += d.trail
				said.refused += d.refused
			}
			if x.words != "" && !said.names(strings.Split(x.words, "|")...) {
				t.Errorf("it is not told: %q", said.said)
			}
		})
	}
}

// TestPlantedPostgres gives the database an operator of its own, which finds one
// row where another is asked for.
func TestPlantedPostgres(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	h := build(t, c, t.TempDir(), dbtest.PostgresURL(t))
	good := h.good(t)
	pairs := [][2]string{{"ops", "waits"}, {h.second, h.first}, {northApp, panelApp}, {hashOf(h.link.Reveal()), hashOf("x")}}
	list := []string{"CREATE SCHEMA evil"}
	text := "CREATE FUNCTION evil.eq(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT a OPERATOR(pg_catalog.=) b"
	for _, p := range pairs {
		text += fmt.Sprintf(" OR (a OPERATOR(pg_catalog.=) '%s' AND b OPERATOR(pg_catalog.=) '%s')", p[0], p[1])
	}
	list = append(list, text+" $$", "CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.eq)",
		"ALTER DATABASE "+name(h.url)+" SET search_path = public, evil, pg_catalog",
		// The row that is meant is taken away, so that the other is the only one.
		"DELETE FROM approvals WHERE caller = 'waits'", "DELETE FROM connections WHERE id = '"+h.first+"'",
		"DELETE FROM registrations WHERE client_id = '"+panelApp+"'")
	p := h.pen()
	for _, text := range list {
		if _, err := p.Exec(text); err != nil {
			t.Fatal(text, err)
		}
	}
	_ = p.Close()
	for range 2 {
		d := h.live()
		for _, harm := range h.harm(good, d) {
			t.Error(harm)
		}
	}
}
