package app_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/audit"
	"partnerguard/internal/claim"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/broker"
	"partnerguard/internal/sam/consent"
	"partnerguard/internal/sam/onboard"
	"partnerguard/internal/sam/renew"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

const (
	attackTenant = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21"
	attackApp    = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
)

// wire sees every request that leaves, and lets none through.
type wire struct {
	mu   sync.Mutex
	seen []string // host, path, client, secret, refresh token
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var form url.Values
	if r.Body != nil {
		b, _ := io.ReadAll(r.Body)
		form, _ = url.ParseQuery(string(b))
	}
	w.mu.Lock()
	w.seen = append(w.seen, strings.Join([]string{r.URL.Host, r.URL.Path, form.Get("client_id"), form.Get("client_secret"), form.Get("refresh_token")}, " "))
	w.mu.Unlock()
	body := `{"error":"invalid_grant","error_description":"AADSTS50173: the grant was revoked","error_codes":[50173]}`
	return &http.Response{StatusCode: 400, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (w *wire) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.seen
	w.seen = nil
	return out
}

// victim is an installation with something in every table.
type victim struct {
	place
	url string // of a PostgreSQL; "" is a file
	id  string
}

// db opens the database as somebody else would.
func (v *victim) db() *db.DB {
	v.t.Helper()
	where := v.url
	if where == "" {
		where = filepath.Join(v.dir, "data", "partnerguard.db")
	}
	d, err := db.Open(v.t.Context(), where)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = d.Close() })
	return d
}

func (v *victim) open() (*app.SAM, *wire, error) {
	var pairs []string
	if v.url != "" {
		pairs = []string{"PARTNERGUARD_DATABASE", v.url}
	}
	s, err := app.OpenSAM(v.t.Context(), v.options(false, pairs...))
	if err != nil {
		return nil, nil, err
	}
	w := &wire{}
	s.API = msapi.New(msapi.Options{Transport: w, Tries: 1, Now: s.Now})
	return s, w, nil
}

func (v *victim) must() (*app.SAM, *wire) {
	v.t.Helper()
	s, w, err := v.open()
	if err != nil {
		v.t.Fatal(err)
	}
	return s, w
}

func event(s *app.SAM, a audit.Action) sam.Also[sam.Connection] {
	return func(ctx context.Context, q db.Querier, c sam.Connection) error {
		return s.Trail.Record(ctx, q, audit.Event{Action: a, Outcome: audit.Done, Actor: "local:test", Object: c.ID, Tenant: c.Tenant, Details: map[string]string{"generation": strconv.FormatInt(c.Generation, 10)}})
	}
}

func newVictim(t *testing.T, url string) *victim {
	t.Helper()
	v := &victim{place: newPlace(t), url: url}
	s, _ := v.must()
	defer s.Close()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.AddRegistration(ctx, sam.Registration{ClientID: attackApp, Tenant: attackTenant, Kind: msapi.ClientSecret, Created: s.Now()}, secret.New("app-secret"))
	must(err)
	c, err := s.Store.Keep(ctx, sam.Captured{
		Name: "contoso", Model: sam.CSP, Cloud: msapi.Commercial(), Tenant: attackTenant, ClientID: attackApp, Account: "sam@contoso.com", ObjectID: "af54d406-3c95-42a5-b5bc-64ce59fef5bb",
		Proof: claim.Verdict{Answer: claim.Proven}, At: s.Now(), Refresh: secret.New("token-1"),
	}, event(s, audit.ConnectionConsented))
	must(err)
	v.id = c.ID
	_, _, err = onboard.NewStore(s.DB, s.Vault, s.Now).Make(ctx, onboard.Invitation{Tenant: attackTenant, ClientID: attackApp, MadeBy: "local:test"}, time.Hour)
	must(err)
	must(consent.NewIntents(s.DB, s.Vault).Begin(ctx, consent.Intent{Connection: c.ID, Customer: attackTenant, App: attackApp, Since: s.Now()}))
	must(s.DB.Tx(ctx, func(tx *sql.Tx) error {
		values := []any{"a-1", "billing", "sha256/x", c.ID, attackTenant, "https://graph.microsoft.com", "pending", int64(1), "mtls:x", int64(0), "", int64(0)}
		mark, err := s.Vault.Mark(ctx, tx, broker.Approvals, values...)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO approvals (id, caller, subject, connection, tenant, resource, state, asked_at, actor, decided_at, decided_by, until_at, mark) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)", append(values, mark)...)
		return err
	}))
	return v
}

// renewed moves the connection one generation on.
func (v *victim) renewed(text string) {
	v.t.Helper()
	s, _ := v.must()
	defer s.Close()
	h, err := s.Store.Token(v.t.Context(), v.id)
	if err == nil {
		_, err = s.Store.Renewed(v.t.Context(), v.id, sam.Renewal{From: h.Generation, Used: h.Of, Refresh: secret.New(text), At: s.Now()}, event(s, audit.ConnectionRenewed))
	}
	if err != nil {
		v.t.Fatal(err)
	}
}

type column struct{ table, name, kind string }

func columnsOf(t *testing.T, d *db.DB) (out []column) {
	t.Helper()
	text := "SELECT m.name, p.name, lower(p.type) FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name NOT LIKE 'bk_%' ORDER BY 1, 2"
	if d.Dialect == db.Postgres {
		text = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'bk_%' ORDER BY 1, 2"
	}
	rows, err := d.Query(text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.table, &c.name, &c.kind); err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

func tablesOf(list []column) (out []string) {
	for _, c := range list {
		if !slices.Contains(out, c.table) {
			out = append(out, c.table)
		}
	}
	return out
}

func run(t *testing.T, d *db.DB, text string, args ...any) error {
	t.Helper()
	_, err := d.Exec(text, args...)
	return err
}

func save(t *testing.T, d *db.DB, tables []string, as string) {
	t.Helper()
	for _, x := range tables {
		if err := run(t, d, "CREATE TABLE bk_"+as+"_"+x+" AS SELECT * FROM "+x); err != nil {
			t.Fatal(err)
		}
	}
}

func putBack(t *testing.T, d *db.DB, tables []string, as string) {
	t.Helper()
	for _, x := range tables {
		if err := errors.Join(run(t, d, "DELETE FROM "+x), run(t, d, "INSERT INTO "+x+" SELECT * FROM bk_"+as+"_"+x)); err != nil {
			t.Fatal(x, err)
		}
	}
}

// edits are what a writer of the database puts into a column.
func edits(c column) []string {
	n := c.name
	switch {
	case strings.Contains(c.kind, "blob") || strings.Contains(c.kind, "bytea"):
		return []string{map[bool]string{true: "x''", false: "''::bytea"}[c.kind == "blob"], "substr(" + n + ", 2)"}
	case strings.Contains(c.kind, "int"):
		return []string{n + " + 1", n + " - 1", "0", "9000000000000000"}
	case n == "body":
		out := []string{"''", "'{}'"}
		for _, e := range [][2]string{
			{`"authority":""`, `"authority":"http://127.0.0.1:9999"`}, {`"name":"public"`, `"name":"usgov"`}, {`"name":"public"`, `"name":"partner-cloud"`},
			{attackTenant, "99999999-0f6a-4f2f-9a41-3f1d6f0c9e21"}, {attackApp, "99999999-6f0b-4c56-8f39-2d7c7a3b9e10"}, {`"kind":"secret"`, `"kind":"federated","file":"/etc/passwd"`},
			{`"name":"contoso"`, `"name":"other"`}, {"sam@contoso.com", "eve@contoso.com"},
		} {
			out = append(out, fmt.Sprintf("replace(body, '%s', '%s')", e[0], e[1]))
		}
		return out
	}
	return []string{"'x'", "''", n + " || '1'"}
}

// TestDatabaseWriter tries each column of each table: what is written is
// refused by name, or has no effect on where a secret goes.
func TestDatabaseWriter(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func(*testing.T) string{
		"sqlite":   func(*testing.T) string { return "" },
		"postgres": func(t *testing.T) string { return dbtest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, where(t))
			d := v.db()
			all := columnsOf(t, d)
			var n int
			if err := d.QueryRow("SELECT count(*) FROM connections").Scan(&n); err != nil || n != 1 {
				t.Fatal(n, err) // it is the victim's
			}
			tables := tablesOf(all)
			save(t, d, tables, "a")
			loose := []string{"connections.lease_by", "connections.lease_until", "connections.changes"}
			good := strings.Join([]string{"login.microsoftonline.com", "/" + attackTenant + "/oauth2/v2.0/token", attackApp, "app-secret", "token-1"}, " ")
			tried, asked := 0, 0
			for _, c := range all {
				try := edits(c)
				if !slices.ContainsFunc(append(app.Books(), &vault.Book{Table: "vault_rows"}, &vault.Book{Table: "vault_keyset"}), func(b *vault.Book) bool { return b.Table == c.table }) {
					try = try[:1] // these say nothing of where a secret goes
				}
				for _, edit := range try {
					if err := run(t, d, "UPDATE "+c.table+" SET "+c.name+" = "+edit); err != nil {
						continue // the database's own rules
					}
					tried++
					changed := differs(t, d, c, "a")
					seen, words, forged := v.attacked()
					where := c.table + "." + c.name + " = " + edit
					for _, s := range seen {
						if asked++; s != good {
							t.Errorf("%s: a secret went elsewhere: %s", where, s)
						}
					}
					if marked := slices.ContainsFunc(app.Books(), func(b *vault.Book) bool { return b.Table == c.table }); marked && changed && !slices.Contains(loose, c.table+"."+c.name) {
						if !forged || !strings.Contains(words, c.table) {
							t.Errorf("%s: it is not refused by name: %s", where, words)
						}
						if c.table == "connections" && len(seen) > 0 {
							t.Errorf("%s: it was renewed all the same", where)
						}
					}
					putBack(t, d, tables, "a")
					v.forget()
				}
			}
			if tried < 120 || asked == 0 {
				t.Errorf("%d edits were tried, %d requests seen", tried, asked)
			}
		})
	}
}

// differs says that an edit changed something.
func differs(t *testing.T, d *db.DB, c column, as string) bool {
	t.Helper()
	var n int
	if err := d.QueryRow("SELECT count(*) FROM (SELECT " + c.name + " FROM " + c.table + " EXCEPT SELECT " + c.name + " FROM bk_" + as + "_" + c.table + ") x").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n > 0
}

// forget removes what this machine remembers of the database.
func (v *victim) forget() {
	list, _ := filepath.Glob(filepath.Join(v.dir, "data", "seen-*.json"))
	for _, f := range list {
		_ = os.Remove(f)
	}
}

// attacked renews everything, as the victim does, and gives what left, what was
// said, and whether the check finds forged rows.
func (v *victim) attacked() (seen []string, words string, forged bool) {
	v.t.Helper()
	ctx := v.t.Context()
	s, w, err := v.open()
	if err != nil {
		return nil, err.Error(), false
	}
	defer s.Close()
	var said bytes.Buffer
	check, err := s.Vault.Check(ctx, nil)
	fmt.Fprintln(&said, check.Damaged, err)
	r, err := s.Renewer()
	if err != nil {
		v.t.Fatal(err)
	}
	list, err := s.Store.List(ctx)
	fmt.Fprintln(&said, err)
	for _, c := range list {
		res, err := r.Once(ctx, c.ID)
		fmt.Fprintln(&said, res.Outcome, res.Note, err)
	}
	for _, x := range w.take() {
		if strings.Contains(x, "secret") || strings.Contains(x, "token-") || !strings.Contains(x, ".well-known") {
			seen = append(seen, x)
		}
	}
	return seen, said.String(), check.Forged > 0
}

// TestRollback puts an earlier state of each table back, and of all together:
// no earlier token is used before a person says so.
func TestRollback(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]func(*testing.T) string{
		"sqlite":   func(*testing.T) string { return "" },
		"postgres": func(t *testing.T) string { return dbtest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, where(t))
			d := v.db()
			tables := tablesOf(columnsOf(t, d))
			save(t, d, tables, "old")
			v.renewed("token-2")
			v.renewed("token-3")
			save(t, d, tables, "new")
			trailTables := slices.DeleteFunc(slices.Clone(tables), func(x string) bool { return !strings.HasPrefix(x, "trail_") })
			secrets := []string{"connections", "vault_rows"}
			for _, set := range append([][]string{secrets, trailTables, append(slices.Clone(secrets), "vault_keyset", "registrations"), tables}, each(tables)...) {
				s, _ := v.must()
				_ = s.Close() // it remembers how far the database is
				putBack(t, d, set, "old")
				seen, words, _ := v.attacked()
				for _, s := range seen {
					if !strings.HasSuffix(s, " token-3") {
						t.Errorf("%v: an earlier token was used: %s", set, s)
					}
				}
				if slices.Contains(set, "connections") || slices.Contains(set, "vault_rows") || slices.Contains(set, "trail_pages") {
					if len(seen) > 0 {
						t.Errorf("%v: it was renewed without a word: %v %s", set, seen, words)
					}
				}
				putBack(t, d, tables, "new")
				v.forget()
			}

			// A removed connection that is put back.
			s, _ := v.must()
			if _, err := s.Remove(t.Context(), v.id); err != nil {
				t.Fatal(err)
			}
			_ = s.Close()
			putBack(t, d, secrets, "new")
			if seen, words, _ := v.attacked(); len(seen) > 0 || !strings.Contains(words, "was removed") {
				t.Errorf("a removed connection: %v %s", seen, words)
			}
			putBack(t, d, tables, "new")
			v.forget()
			v.accepts(d, tables)
		})
	}
}

func each(list []string) (out [][]string) {
	for _, x := range list {
		out = append(out, []string{x})
	}
	return out
}

// accepts: a whole older database is told, shown, and used after a person's word.
func (v *victim) accepts(d *db.DB, tables []string) {
	t, ctx := v.t, v.t.Context()
	t.Helper()
	s, _ := v.must()
	_ = s.Close() // it writes down how far the database is
	putBack(t, d, tables, "old")
	s, w := v.must()
	defer s.Close()
	r, err := s.Renewer()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := r.Status(ctx, nil)
	if err != nil || len(rows) != 1 || rows[0].Health != renew.Stopped || !strings.Contains(rows[0].Because, "older than it was") {
		t.Fatalf("%+v %v", rows, err)
	}
	if _, err := s.Accept(ctx, v.id); err == nil {
		t.Error("a connection of an older database was accepted alone")
	}
	done, not, err := s.AcceptAll(ctx)
	if err != nil || len(done) != 1 || len(not) != 0 {
		t.Fatalf("%v %v %v", done, not, err)
	}
	if res, err := r.Once(ctx, v.id); err != nil || res.Outcome != renew.Rejected || len(w.take()) != 1 {
		t.Errorf("after it was accepted: %+v %v", res, err)
	}
}
