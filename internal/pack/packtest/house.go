package packtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	formats "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/archive"
	"partnerguard/internal/audit"
	"partnerguard/internal/db"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/trail"
	"partnerguard/internal/trail/anchor"
	"partnerguard/internal/vault"
)

// Tenant is whose evidence a house has.
const Tenant = "0a1b2c3d-0000-4000-8000-000000000001"

// Day is in the middle of the month that packs are made of.
var Day = time.Date(2026, 10, 12, 12, 0, 0, 0, time.UTC)

// House is an archive and a trail with something in them, and a judge that counts.
type House struct {
	testing.TB
	DB      *db.DB
	Trail   *trail.Trail
	Archive *archive.Archive
	Store   *pack.Store
	Signer  *trail.Signer
	Now     time.Time
	// Stamps is the authority that stamps, Roots its root as PEM; Witness the key of who
	// cosigns.
	Stamps  *anchor.Timestamp
	Roots   []byte
	Witness string
	// Rows is how many sign-ins the log has; 0 is as many as make a page a large one.
	Rows    int
	witness note.Signer
	n       int
}

// safe is a vault in memory.
type safe map[vault.Ref]string

func (s safe) Get(_ context.Context, r vault.Ref) (secret.Text, error) {
	if s[r] == "" {
		return secret.Text{}, problem.New(problem.NotFound, "none")
	}
	return secret.New(s[r]), nil
}

func (s safe) Put(_ context.Context, r vault.Ref, t secret.Text) error { s[r] = t.Reveal(); return nil }

// Authority gives time stamps.
type Authority interface {
	http.Handler
	Root() *x509.Certificate
	PEM() []byte
}

// Build makes a house in a database, with an authority that is asked the time of now.
func Build(t testing.TB, d *db.DB, authority func(now func() time.Time) (Authority, error)) *House {
	t.Helper()
	h := &House{TB: t, DB: d, Now: Day}
	now := func() time.Time { return h.Now }
	var err error
	if h.Trail, err = trail.Open(t.Context(), d, trail.Options{Now: now}); err != nil {
		t.Fatal(err)
	}
	if h.Archive, err = archive.Open(archive.Deps{DB: d, Trail: h.Trail, Dir: filepath.Join(t.TempDir(), "archive"), Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Archive.Close() })
	if h.Signer, err = h.Trail.Signer(t.Context(), safe{}); err != nil {
		t.Fatal(err)
	}
	h.stamping(authority)
	h.Store, err = pack.New(pack.Deps{
		DB: d, Archive: h.Archive, Trail: h.Trail, Now: now, Tool: "partnerguard test", Actor: "os:tester",
		Signer: func(context.Context) (*trail.Signer, error) { return h.Signer, nil },
		Secret: func(context.Context) (secret.Text, error) { return secret.New("a key of a vault that is none"), nil },
		Judge:  Judge, Again: Count,
		Stamp: func(ctx context.Context, b []byte) ([]byte, error) {
			raw, _, err := h.Stamps.Stamp(ctx, b)
			return raw, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// stamping starts an authority, and makes a witness.
func (h *House) stamping(authority func(now func() time.Time) (Authority, error)) {
	h.Helper()
	now := func() time.Time { return h.Now }
	a, err := authority(now)
	if err != nil {
		h.Fatal(err)
	}
	srv := httptest.NewServer(a)
	h.Cleanup(srv.Close)
	pool := x509.NewCertPool()
	pool.AddCert(a.Root())
	h.Roots = a.PEM()
	if h.Stamps, err = anchor.NewTimestamp(srv.URL, pool, "", 0, srv.Client(), now); err != nil {
		h.Fatal(err)
	}
	secret, public, err := note.GenerateKey(rand.Reader, "witness.example/w1")
	if err != nil {
		h.Fatal(err)
	}
	h.Witness = public
	if h.witness, err = formats.NewSignerForCosignatureV1(secret); err != nil {
		h.Fatal(err)
	}
}

// cosigner is an anchor that cosigns whatever it is given.
type cosigner struct{ note.Signer }

func (cosigner) Name() string         { return "witness:https://witness.example" }
func (cosigner) Every() time.Duration { return 0 }

func (c cosigner) Send(_ context.Context, s *trail.Sending) ([]byte, error) {
	text, _, _ := strings.Cut(string(s.Note), "\n\n")
	signed, err := note.Sign(&note.Note{Text: text + "\n"}, c.Signer)
	_, lines, _ := strings.Cut(string(signed), "\n\n")
	return []byte(lines), err
}

func (cosigner) Held(context.Context, []note.Verifier, []trail.Kept, func(trail.Mark) error) error {
	return trail.ErrBlind
}

// Anchor has the trail's checkpoint stamped and cosigned.
func (h *House) Anchor() {
	h.Helper()
	list, err := h.Trail.Anchor(h.Context(), h.Signer, []trail.Anchor{h.Stamps, cosigner{h.witness}}, true, slog.New(slog.DiscardHandler))
	if err != nil || list[0].Reason != "" || list[1].Reason != "" {
		h.Fatal(list, err)
	}
}

// Record puts an entry about the tenant into the trail.
func (h *House) Record(object string) {
	h.Helper()
	e := audit.Event{Action: audit.AutomationChanged, Outcome: audit.Done, Actor: "os:adele", Object: object, Tenant: Tenant}
	if err := h.Trail.Record(h.Context(), e); err != nil {
		h.Fatal(err)
	}
}

// Keep reads a list: a segment with a page for each body and the end of the reading.
func (h *House) Keep(resource, way string, bodies ...string) archive.Segment {
	h.Helper()
	w, err := h.Archive.Begin(Tenant)
	if err != nil {
		h.Fatal(err)
	}
	defer w.Discard()
	h.n++
	run := h.Now.UTC().Format("20060102T150405.000000Z") + fmt.Sprintf("-%08d", h.n)
	for i, b := range bodies {
		p := archive.Page{Tenant: Tenant, Resource: resource, Run: run, Number: i, Request: "GET /v1.0/" + resource, Status: 200, At: h.Now,
			RequestID: fmt.Sprint("r", i), Body: []byte(b)}
		if way == "sliced" {
			p.From, p.To = h.Now.Add(-24*time.Hour), h.Now
		}
		if err := w.Add(p); err != nil {
			h.Fatal(err)
		}
		h.Now = h.Now.Add(time.Millisecond)
	}
	end := archive.Run{ID: run, Tenant: Tenant, Resource: resource, Way: way, Ended: h.Now, Whole: true, Pages: len(bodies)}
	if err := w.End(end); err != nil {
		h.Fatal(err)
	}
	s, err := w.Commit(h.Context(), nil)
	if err != nil {
		h.Fatal(err)
	}
	return s
}

// Fill puts a month's evidence into the house: lists, one read twice, and logs.
func (h *House) Fill() {
	h.Helper()
	h.Record("before")
	user := func(n int, more string) string {
		return fmt.Sprintf(`{"id":"u%d","displayName":"Person %d","userPrincipalName":"p%d@contoso.example","accountEnabled":true%s}`, n, n, n, more)
	}
	h.Keep("users", "whole", `{"value":[`+user(1, "")+`]}`)
	h.Anchor()
	h.Now = h.Now.Add(24 * time.Hour)
	h.Keep("users", "whole", `{"@odata.context":"x","value":[`+user(1, "")+","+user(2, `,"mail":null`)+
		`],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users?n=1"}`,
		`{"@odata.context":"x","value":[`+user(3, `,"otherMails":[]`)+`]}`)
	h.Keep("conditionalAccessPolicies", "whole", `{"value":[{"id":"c1","displayName":"All","state":"enabled",`+
		`"conditions":{"users":{"includeUsers":["All"]}}}]}`)
	var rows []string
	if h.Rows == 0 {
		h.Rows = 1500
	}
	for i := range h.Rows {
		rows = append(rows, fmt.Sprintf(`{"id":"s%d","createdDateTime":"2026-10-12T10:00:00Z",`+
			`"userPrincipalName":"p%d@contoso.example","ipAddress":"203.0.113.%d","status":{"errorCode":0}}`,
			i, i%3, i%250))
	}
	h.Keep("signIns.interactiveUser", "sliced", `{"value":[`+strings.Join(rows[:h.Rows/8], ",")+`]}`, `{"value":[`+strings.Join(rows, ",")+`]}`)
	h.Record("after")
	h.Anchor()
	h.Now = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
}

// October are the options of a pack of the month.
func (h *House) October(out string) pack.Options {
	from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	return pack.Options{Tenant: Tenant, From: from, To: from.AddDate(0, 1, 0), Reader: "auditor", Out: out}
}

// Count judges by counting: of each file how many ids it has, and what of it cannot come
// out again with anything left out: how many people are called Break.
func Count(_ context.Context, e *pack.Evidence) (out []form.Verdict, err error) {
	err = fs.WalkDir(e.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "archive-view.json" {
			return err
		}
		f, err := e.FS.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		out = append(out, form.Verdict{Requirement: name, AsOf: e.Manifest.AsOf, Verdict: "met", Total: bytes.Count(b, []byte(`"id":`)),
			Affected: bytes.Count(b, []byte(`"Break`))})
		return nil
	})
	return out, err
}

// Judge counts, and writes small files.
func Judge(ctx context.Context, e *pack.Evidence) (*pack.Judged, error) {
	out, err := Count(ctx, e)
	if err != nil {
		return nil, err
	}
	j := &pack.Judged{Verdicts: out, Agreement: "2026-09", Book: "2026-10-01"}
	for _, name := range []string{"README.txt", "report.html", "report.json", "rules/book.json", "gaps.json", "exceptions.json", "sbom.cdx.json"} {
		j.Files = append(j.Files, pack.File{Path: name, Kind: strings.TrimSuffix(path.Base(name), path.Ext(name)),
			Write: func(w io.Writer) error { _, err := fmt.Fprintf(w, "{\"of\":%q,\"list\":[1,2,3]}\n", name); return err }})
	}
	return j, nil
}

// Sums are the content of all files of a view.
func Sums(t testing.TB, f fs.FS) (out []string) {
	t.Helper()
	err := fs.WalkDir(f, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == "archive-view.json" {
			return err
		}
		b, err := fs.ReadFile(f, name)
		sum := sha256.Sum256(b)
		out = append(out, name+" "+hex.EncodeToString(sum[:8]))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}
