package graph

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/signon"
	"partnerguard/internal/partnercloud/world"
)

// manySignIns fills the log with rows as sign-ins leave them.
func (l *lab) manySignIns(n int) []*world.SignIn {
	var out []*world.SignIn
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		p.SignIns = nil
		for i := range n {
			a := &signon.Attempt{Tenant: p, Home: p, User: p.Users.Get(ada), AppID: toolApp, AppName: "Tool", Resource: entra.AppGraph,
				ResourceName: "Microsoft Graph", Client: signon.Browser, Interactive: true, SID: "sid", Platform: "linux", MFA: true,
				Combos: []string{"fido2"}, UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}
			r := signon.Judge(s, a)
			row := signon.Row(s, a, &r, -1)
			row.CreatedDateTime = world.Stamp{Time: l.clock.Now().Add(-time.Duration(n-i) * time.Second)}
			s.LogSignIn(p, row)
			out = append(out, row)
		}
	})
	return out
}

type sink struct {
	head http.Header
	n    int
	code int
}

func (w *sink) Header() http.Header         { return w.head }
func (w *sink) WriteHeader(code int)        { w.code = code }
func (w *sink) Write(b []byte) (int, error) { w.n += len(b); return len(b), nil }

// BenchmarkSignInPage serves a page of 1,000 rows, from request to last byte.
func BenchmarkSignInPage(b *testing.B) {
	l := newLab(b)
	l.manySignIns(5000)
	r := httptest.NewRequest("GET", "http://graph.test/beta/auditLogs/signIns", nil)
	r.Header.Set("Authorization", "Bearer "+l.admin())
	r.Header.Set("Prefer", "include-unknown-enum-members")
	b.ReportAllocs()
	for b.Loop() {
		w := &sink{head: http.Header{}}
		l.g.ServeHTTP(w, r)
		if w.code != 200 {
			b.Fatal(w.code)
		}
		b.SetBytes(int64(w.n))
	}
}

// BenchmarkPlainEncode encodes the same rows with encoding/json and nothing else.
func BenchmarkPlainEncode(b *testing.B) {
	l := newLab(b)
	rows := l.manySignIns(5000)[4000:]
	c := &call{beta: true, query: query{unknown: true}}
	shown := make([]any, len(rows))
	for i, r := range rows {
		shown[i] = signInRow{c, r, false}.shown(new(form))
	}
	b.ReportAllocs()
	for b.Loop() {
		var w bytes.Buffer
		e := json.NewEncoder(&w)
		e.SetEscapeHTML(false)
		if err := e.Encode(map[string]any{"value": shown}); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(w.Len()))
	}
}

func (l *lab) manyUsers(n int) {
	l.w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		for i := range n {
			p.Users.Put(&world.User{ID: fmt.Sprintf("00000000-0000-4000-9000-%012d", i), UPN: fmt.Sprintf("u%d@contoso.com", i),
				Name: fmt.Sprintf("User %d", i), Enabled: true, Created: start})
		}
		s.Touch(p)
	})
}

// readAll follows next links to the end.
func (l *lab) readAll(path string) (rows, pages int) {
	tok := l.admin()
	for path != "" {
		a := l.get(path, tok)
		rows += len(a.rows())
		pages++
		path = trimHost(str(a.body, "@odata.nextLink"))
	}
	return rows, pages
}

func trimHost(link string) string {
	const host = "http://graph.test"
	if len(link) < len(host) {
		return ""
	}
	return link[len(host):]
}

// Reading twice as many users in pages must take about twice as long, not four
// times.
func TestUsersPagingIsNotQuadratic(t *testing.T) {
	if testing.Short() {
		t.Skip("slow")
	}
	took := func(n int) time.Duration {
		l := newLab(t)
		l.manyUsers(n)
		begin := time.Now()
		rows, pages := l.readAll("/v1.0/users?$select=id&$top=20")
		if rows != n+6 || pages < n/20 {
			t.Fatalf("%d rows in %d pages", rows, pages)
		}
		return time.Since(begin)
	}
	took(1000)
	// Another program on the machine makes one try slow, never fast: an algorithm
	// that is quadratic fails every try.
	var ratio float64
	for range 5 {
		a, b := took(8000), took(32000)
		t.Logf("8,000 users: %s; 32,000: %s", a, b)
		if ratio = float64(b) / float64(a); ratio <= 9 {
			return
		}
	}
	t.Errorf("four times the users took %.1f times as long", ratio)
}

func BenchmarkUsers100k(b *testing.B) {
	l := newLab(b)
	l.manyUsers(100_000)
	for b.Loop() {
		if rows, _ := l.readAll("/v1.0/users?$top=999"); rows != 100_006 {
			b.Fatal(rows)
		}
	}
}
