package archive_test

import (
	"testing"

	"partnerguard/internal/archive/archivetest"
	"partnerguard/internal/db/dbtest"
)

// recorder tells errors to nobody, and remembers that there were some.
type recorder struct {
	testing.TB
	failed int
}

func (r *recorder) Errorf(string, ...any) { r.failed++ }

// What carries a token is refused and leaves nothing, not in the archive, not in
// the database; and the looking itself finds one that is there.
func TestNoTokenEnters(t *testing.T) {
	t.Parallel()
	r := open(t, dbtest.SQLite(t))
	const mark = "s3cr3t-refresh-token-0123456789"
	w, err := r.Begin(tenant)
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range []string{
		"GET /v1.0/users?access_token=" + mark, "POST /token?client_secret=" + mark, "GET /x?a=1&SIG=" + mark, "GET /eyJhbGciOiJS.eyJ" + mark,
	} {
		p := page("users", "r1", 0, "{}")
		p.Request = request
		if err := w.Add(p); err == nil {
			t.Errorf("%s is taken", request)
		} else if got := err.Error(); len(got) > 200 {
			t.Error(got)
		}
	}
	if err := w.Add(page("users", "r1", 0, `{"value":[]}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Commit(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	archivetest.NoSecrets(t, r.dir, r.db, mark)

	r.keep("users", `{"password":"`+mark+`"}`)
	if err := r.db.SetSetting(t.Context(), "x", mark); err != nil {
		t.Fatal(err)
	}
	found := &recorder{TB: t}
	archivetest.NoSecrets(found, r.dir, r.db, mark)
	if found.failed != 2 {
		t.Errorf("%d places were found, not 2", found.failed)
	}
}
