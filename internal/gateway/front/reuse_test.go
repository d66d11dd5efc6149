package front_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unsafe"

	"partnerguard/internal/audit/audittest"
	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/assert"
	"partnerguard/internal/gateway/front"
	"partnerguard/internal/gateway/gatewaytest"
	"partnerguard/internal/gateway/guard"
	"partnerguard/internal/gateway/ledger"
	"partnerguard/internal/gateway/proxy"
	"partnerguard/internal/gateway/verify"
)

// rooms are the real rooms behind the lean path.
type rooms struct {
	*gatewaytest.Authority
	judge *guard.Guard
	book  *ledger.Ledger
	lines *ledger.Lines
	tell  *assert.Asserter
	table *gateway.Table
	db    *db.DB
}

const reuseFile = `version: 1
listen: [{at: "127.0.0.1:1"}]
authorities: [{cloud: public}]
tenants: [%[2]s]
routes:
  - {name: panel, host: a.example, audiences: ["api://panel"], upstream: "%[1]s", mode: enforce}
  - {name: told, path: /told, host: a.example, audiences: ["api://panel"], upstream: "%[1]s", mode: report}
`

func newRooms(t *testing.T, upstream string) *rooms {
	t.Helper()
	g := &rooms{Authority: gatewaytest.NewAuthority(), db: dbtest.SQLite(t), lines: ledger.NewLines()}
	now := func() time.Time { return gatewaytest.Now }
	v := verify.New(verify.Deps{Keys: g.Authority, Now: now})
	must(t, v.Turn(1, []gateway.Authority{{Name: "public", Issuers: []string{gatewaytest.IssuerV1, gatewaytest.IssuerV2}}}))
	var err error
	g.book, err = ledger.New(ledger.Deps{DB: g.db, Record: &audittest.Recorder{}, Now: now})
	must(t, err)
	g.book.Also(g.lines)
	g.judge, err = guard.New(guard.Deps{Verifier: v, Book: g.book})
	must(t, err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	g.tell, err = assert.New(assert.Deps{Key: key, Now: now})
	must(t, err)
	f, err := gateway.Read(fmt.Appendf(nil, reuseFile, upstream, gatewaytest.Partner), gateway.Names{Now: gatewaytest.Now})
	must(t, err)
	g.table = f.Compile(1)
	g.judge.Take(g.table)
	return g
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// person is the n-th caller: a token of their own, of another length than the next one's.
func (g *rooms) person(n int) (oid, token string) {
	oid = fmt.Sprintf("c1d9f2a4-5b7e-4c0d-8e4e-%012d", n)
	return oid, g.Good(gatewaytest.Set("oid", oid), gatewaytest.Set("upn", fmt.Sprintf("p%d@contoso.example", n)), gatewaytest.Set("uti", oid),
		gatewaytest.Set("roles", []string{strings.Repeat("r", 1+n%7)}))
}

// kept gives all that the rooms have written down.
func (g *rooms) kept(t *testing.T) string {
	t.Helper()
	must(t, g.book.Flush(t.Context()))
	list, err := g.book.Report(t.Context(), ledger.Filter{Since: gatewaytest.Now.Add(-time.Hour), Until: gatewaytest.Now.Add(time.Hour)}, nil)
	must(t, err)
	rows, err := g.db.QueryContext(t.Context(),
		"SELECT route || ' ' || reason || ' ' || tenant || ' ' || caller || ' ' || client || ' ' || agent || ' ' || account FROM gateway_decisions")
	must(t, err)
	defer rows.Close()
	var b strings.Builder
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		b.WriteString(s + "\n")
	}
	must(t, rows.Err())
	_ = json.NewEncoder(&b).Encode(list)
	gone, stop := context.WithCancel(t.Context())
	stop()
	must(t, g.lines.Run(gone, &b))
	return b.String()
}

// TestNothingKeepsTheBuffer: the texts of a request are the connection's own bytes. When
// those change behind it, nothing that any room has kept does.
func TestNothingKeepsTheBuffer(t *testing.T) {
	g := newRooms(t, "http://127.0.0.1:9")
	type told struct{ oid, headers string }
	var all []told
	for n := range 60 {
		oid, token := g.person(n % 20)
		path := []string{"/x", "/told/x"}[n%2]
		text := []string{"GET", path, "SECRETQUERY", "Bearer " + token, "pg=SECRETCOOKIE", "SECRETAGENT/" + strings.Repeat("a", n), "text/html", "navigate",
			"document", ""}
		if n%3 == 2 { // one that is refused, or would be
			text[3] = "Bearer SECRETTOKEN" + strings.Repeat("x", n)
		}
		buf := []byte(strings.Join(text, ""))
		at := func(i int) string {
			from := len(strings.Join(text[:i], ""))
			return unsafe.String(unsafe.SliceData(buf[from:]), len(text[i]))
		}
		r := gateway.Request{Method: at(0), Host: "a.example", Path: at(1), Query: at(2), Authorization: at(3), Cookie: at(4), UserAgent: at(5), Accept: at(6),
			FetchMode: at(7), FetchDest: at(8), RequestedWith: at(9), Remote: netip.MustParseAddr("192.0.2.1"), ID: proxy.NewID(), Now: gatewaytest.Now}
		d := g.judge.Judge(&r)
		facts := g.tell.Headers(nil, &d, &r, "http://127.0.0.1:9")
		_, _, _ = answer.For(d, &r, answer.Options{}), answer.Announce(d), proxy.Failed(&d, &r, http.StatusBadGateway, io.EOF)
		if n%3 != 2 {
			all = append(all, told{oid, fmt.Sprint(d.Identity, facts)})
		}
		for i := range buf {
			buf[i] = '!'
		}
		if n%3 != 2 && fmt.Sprint(d.Identity, facts) != all[len(all)-1].headers {
			t.Fatalf("request %d: what was decided changed with the buffer", n)
		}
	}
	for _, w := range all {
		if !strings.Contains(w.headers, w.oid) || strings.Contains(w.headers, "!") {
			t.Errorf("%s is told as %s", w.oid, w.headers)
		}
	}
	kept := g.kept(t)
	for n := range 20 {
		if oid, _ := g.person(n); !strings.Contains(kept, oid) || !strings.Contains(kept, fmt.Sprintf("p%d@contoso.example", n)) {
			t.Errorf("person %d is nowhere: %.2000s", n, kept)
		}
	}
	if strings.Contains(kept, "SECRET") || strings.Contains(kept, "!") || strings.Contains(kept, "eyJ") {
		t.Errorf("what was kept has the request's bytes: %.4000s", kept)
	}
}

// TestOneConnectionOfMany: people who come one behind the other on one connection, each with
// heads of another length, pipelined too, are each told as themselves to the upstream.
func TestOneConnectionOfMany(t *testing.T) {
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who := r.Header.Get(assert.HeaderObjectID)
		var body struct {
			OID string `json:"oid"`
		}
		if parts := strings.Split(r.Header.Get(assert.HeaderAssertion), "."); len(parts) == 3 {
			raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
			_ = json.Unmarshal(raw, &body)
		}
		_, _ = io.WriteString(w, who+" "+body.OID)
	}))
	defer up.Close()
	g := newRooms(t, up.URL)
	now := func() time.Time { return gatewaytest.Now }
	p, err := proxy.New(proxy.Deps{Judge: g.judge, Assert: g.tell, Now: now})
	must(t, err)
	defer p.Close()
	must(t, p.Take(g.table))
	f, err := front.New(front.Deps{Handler: p, Lean: true, Judge: g.judge, Assert: g.tell, Via: p, Now: now})
	must(t, err)
	f.Take(g.table)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Serve(ctx, []net.Listener{l}) }()
	defer func() { cancel(); <-ended; _ = f.Shutdown(context.Background()) }()
	c, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(c)
	for round := range 12 {
		var sent strings.Builder
		var want []string
		for k := range 5 { // some by the lean path, and in the last rounds the rest by the full one
			n := (round*7 + k*3) % 20
			oid, token := g.person(n)
			auth, who := "Authorization: Bearer "+token+"\r\n", oid+" "+oid
			if k == 2 {
				auth, who = "", " " // report: served, and told as nobody
			}
			more := "X-Pad: " + strings.Repeat("p", round*k*5) + "\r\n"
			if round == 10 && k == 3 {
				more += "TE: trailers\r\n" // the full path takes over in the middle
			}
			fmt.Fprintf(&sent, "GET /told/%d HTTP/1.1\r\nHost: a.example\r\n%s%s\r\n", n, auth, more)
			want = append(want, who)
		}
		_, err := io.WriteString(c, sent.String())
		must(t, err)
		for k, who := range want {
			res, err := http.ReadResponse(r, nil)
			must(t, err)
			got, err := io.ReadAll(res.Body)
			must(t, err)
			if string(got) != who {
				t.Errorf("round %d, request %d: %q, want %q", round, k, got, who)
			}
		}
	}
}
