package signins_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/signin"
	"partnerguard/internal/signins"
	"partnerguard/internal/snapshot"
)

// sightings are rows by chance: the same seed gives the same.
func sightings(n int, seed uint64) []signin.Sighting {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]signin.Sighting, n)
	for i := range out {
		v := signin.Verdict(r.IntN(len(signin.Verdicts())))
		out[i] = signin.Sighting{ID: fmt.Sprintf("id-%05d", i), UserID: fmt.Sprintf("U%d", r.IntN(40)),
			UserPrincipalName: fmt.Sprintf("user%d@contoso.example", i%40),
			AppID:             fmt.Sprintf("App-%d", r.IntN(9)), AppDisplayName: "An app", ClientAppUsed: "Browser", IPAddress: "203.0.113.7",
			Country: "NL", Verdict: v,
			Reason: signin.ReasonSingleFactor, Success: v.Success(), Legacy: r.IntN(5) == 0,
			At: screentest.Now.Add(-time.Duration(r.IntN(31*24*3600)) * time.Second)}
	}
	return out
}

func build(rows []signin.Sighting, visitors int, in signins.Input) signins.Part {
	b := &signins.Builder{Until: screentest.Now, Where: func(s *signin.Sighting) (string, int64, bool) { return "segment", 3, s.ID != "" }}
	vs := make([]signin.Visitor, visitors)
	for i := range vs {
		vs[i] = b.Visitor()
	}
	for i := range rows {
		vs[i%visitors].See(&rows[i])
	}
	in.From, in.To = screentest.Now.AddDate(0, 0, -30), screentest.Now
	return b.Build(in)
}

// TestBuilder: numbers are of all rows, whoever saw which; the rows that count against a
// requirement are all there, the newest first, and the rest is bounded.
func TestBuilder(t *testing.T) {
	t.Parallel()
	rows := sightings(9_000, 1)
	p := build(rows, 3, signins.Input{})
	var open, users int64
	newest := map[string]bool{}
	for i := range rows {
		if rows[i].Verdict == signin.NotUser {
			continue
		}
		users++
		if rows[i].Verdict == signin.NotChallenged {
			open++
			newest[rows[i].ID] = true
		}
	}
	if p.Total.Rows() != users || p.Total.Without() != open || p.Against.Of != open || int64(p.Against.Rows) != open {
		t.Errorf("%+v, want %d rows, %d without MFA; kept %+v", p.Total, users, open, p.Against)
	}
	if p.Rest.Rows != signins.MaxRest || p.Rest.Of <= signins.MaxRest || p.Unknown.Rows != signins.MaxUnknown {
		t.Errorf("%+v %+v", p.Rest, p.Unknown)
	}
	var hours int64
	for i := range p.Hours {
		hours += p.Hours[i].Rows()
	}
	if hours+p.Strange != users {
		t.Errorf("%d rows by hour, %d besides, of %d", hours, p.Strange, users)
	}
	for i := range p.Rows {
		if r := &p.Rows[i]; r.Verdict == "not_challenged" && !newest[r.ID] || r.Segment != "segment" {
			t.Fatalf("%+v", r)
		}
	}
	for _, f := range p.Facets {
		var sum int64
		for _, v := range f.Values {
			sum += v.Rows
		}
		if f.More == 0 && f.Name == "app" && sum != users {
			t.Errorf("the facet %s counts %d of %d", f.Name, sum, users)
		}
	}
	one, two := asJSON(t, build(rows, 1, signins.Input{})), asJSON(t, build(rows, 5, signins.Input{}))
	if one != two || one != asJSON(t, p) {
		t.Error("who saw which row changes the part")
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestNewestAreKept: past the bound it is the oldest that go.
func TestNewestAreKept(t *testing.T) {
	t.Parallel()
	rows := make([]signin.Sighting, signins.MaxAgainst+500)
	for i := range rows {
		rows[i] = signin.Sighting{ID: fmt.Sprint(i), Verdict: signin.NotChallenged, Success: true, At: screentest.Now.Add(-time.Duration(i) * time.Second)}
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	p := build(rows, 4, signins.Input{})
	if p.Against.Rows != signins.MaxAgainst || p.Against.Of != int64(len(rows)) {
		t.Fatalf("%+v", p.Against)
	}
	for i := range p.Rows {
		if p.Rows[i].ID != fmt.Sprint(i) {
			t.Fatalf("row %d is %s", i, p.Rows[i].ID)
		}
	}
}

// TestClocks: rows whose clock is broken are counted, and stretch nothing.
func TestClocks(t *testing.T) {
	t.Parallel()
	rows := []signin.Sighting{{ID: "none", Verdict: signin.NotChallenged}, {ID: "old", Verdict: signin.NotChallenged, At: time.Unix(0, 0)},
		{ID: "far", Verdict: signin.NotChallenged, At: screentest.Now.AddDate(900, 0, 0)}, {ID: "ok", Verdict: signin.NotChallenged,
			At: screentest.Now.Add(-time.Hour)}}
	p := build(rows, 1, signins.Input{})
	if p.Strange != 3 || len(p.Hours) != 1 || p.Total.Rows() != 4 || !p.Last.Equal(p.First) {
		t.Errorf("%+v", p)
	}
}

// fake answers what the pages want beside the part.
type fake struct {
	part    *signins.Part
	raw     []byte
	err     error
	between []signins.Row
	asked   int
}

func (f *fake) house(t testing.TB) *screentest.House {
	t.Helper()
	x, err := signins.New(signins.Deps{
		Part: func(context.Context, string) (*signins.Part, snapshot.Mark, error) {
			if f.part == nil {
				return nil, snapshot.Mark{}, problem.New(problem.NotFound, "nothing was judged")
			}
			return f.part, snapshot.Mark{At: screentest.Now, Version: "1"}, nil
		},
		Between: func(context.Context, string, time.Time, time.Time, int) ([]signins.Row, bool, error) {
			f.asked++
			return f.between, true, f.err
		},
		Decide: func(_ context.Context, _ string, r *signins.Row) (*signins.Decision, error) {
			return &signins.Decision{Outcome: "mfa_required", Reason: "MFA is required by " + r.App, Asks: []signins.PolicySays{{Policy: r.App,
				Asks: "MFA", Clause: r.User}}}, f.err
		},
		Raw: func(context.Context, string, signins.At) (*signins.Raw, error) {
			return &signins.Raw{Body: f.raw, Segment: "segment", Line: 1, Of: 2}, f.err
		},
		Prove: func(context.Context, string, signins.At) (*signins.Proof, error) {
			return &signins.Proof{File: []byte("{}")}, f.err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return screentest.Of(x.Screens()...)
}

// TestPageSaysHowMany: what is shown is said of how many, a chosen hour has its own, and
// the archive is asked once.
func TestPageSaysHowMany(t *testing.T) {
	t.Parallel()
	p := build(sightings(9_000, 1), 2, signins.Input{Gaps: []signins.Span{{From: screentest.Now.Add(-50 * time.Hour), To: screentest.Now.Add(-47 * time.Hour)}},
		Marks: []signins.Mark{{At: screentest.Now.Add(-30 * time.Hour), Text: "CA001 changed", By: "ada"}}})
	f := &fake{part: &p, raw: []byte(`{"id":"id-00001","status":{"errorCode":0}}`), between: []signins.Row{{ID: "from-archive", Verdict: "challenged",
		At: screentest.Now}}}
	h := f.house(t)
	html := h.HTML(t, "/signins")
	for _, want := range []string{"judged one by one", "of the others", "not read", "f-void", "CA001 changed", `class="wid"`, `class="nar"`,
		"The numbers behind this chart"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	hour := p.Hours[len(p.Hours)/2].At.Format("2006-01-02T15")
	if html = h.HTML(t, "/signins?hour="+hour); !strings.Contains(html, "Read all of this hour") && !strings.Contains(html, "Read them from the archive") {
		t.Error("the rest of the hour is not offered")
	}
	if f.asked != 0 {
		t.Error("the archive was asked by nobody")
	}
	for range 3 {
		html = h.HTML(t, "/signins?all=1&hour="+hour)
	}
	if !strings.Contains(html, "out of the archive") || !strings.Contains(html, "The newest 1") || f.asked != 1 {
		t.Errorf("the hour was asked %d times of the archive", f.asked)
	}
	for _, bad := range []string{"hour=yesterday", "hour=2026-11-20T05&day=2026-11-20", "day=2026-13-40", "span=1y", "all=1&day=2026-11-19"} {
		if _, _, err := h.Load(t.Context(), "/signins?"+bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	if html := (&fake{}).house(t).HTML(t, "/signins"); !strings.Contains(html, "No sign-in was judged yet") {
		t.Error("a tenant that was never judged has a page of something")
	}
	p.Unread = "no log was read"
	if html := h.HTML(t, "/signins"); !strings.Contains(html, "Unknown.") {
		t.Error("a log that was not read is shown as an empty one")
	}
}

// TestDisagreement: the row says where the settings and the log say different things.
func TestDisagreement(t *testing.T) {
	t.Parallel()
	p := build([]signin.Sighting{{ID: "a", Verdict: signin.NotChallenged, Success: true, At: screentest.Now.Add(-time.Minute), AppDisplayName: "App"}}, 1,
		signins.Input{Settle: func(r *signins.Row) { r.Settings, r.Disagrees = "mfa_required", r.Disagree("mfa_required") }})
	f := &fake{part: &p, raw: []byte(`{"id":"a"}`)}
	html := f.house(t).HTML(t, "/signins?row=a")
	if !strings.Contains(html, "Settings and log disagree.") || !strings.Contains(html, "settings disagree") {
		t.Error("the disagreement is not said")
	}
}

// TestErrorsAreTold: what the archive refuses is said in the row, and nothing of it that is
// not for the page.
func TestErrorsAreTold(t *testing.T) {
	t.Parallel()
	p := build([]signin.Sighting{{ID: "a", Verdict: signin.Challenged, Success: true, At: screentest.Now.Add(-time.Minute)}}, 1, signins.Input{})
	f := &fake{part: &p, err: problem.New(problem.BadInput, "the segment is damaged")}
	h := f.house(t)
	for _, address := range []string{"/signins?row=a", "/signins/row?id=a", "/signins/row?id=b&segment=s&entry=1"} {
		if html := h.HTML(t, address); !strings.Contains(html, "The segment is damaged.") || strings.Contains(html, "verified just now") {
			t.Errorf("%s does not say that the segment is damaged", address)
		}
	}
	if html := h.HTML(t, "/signins/row?id=a"); !strings.Contains(html, "the proof does not hold") {
		t.Error("a damaged segment is not told as such")
	}
	f.err = fmt.Errorf("open /var/lib/secret: no")
	if html := h.HTML(t, "/signins?row=a"); strings.Contains(html, "/var/lib") {
		t.Error("a page says what is for the log")
	}
	for _, bad := range []string{"id=a&entry=-1", "id=a&entry=x", "id=unknown", ""} {
		if _, _, err := h.Load(t.Context(), "/signins/row?"+bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// TestHostile: whatever a row holds, the pages have no tag of it.
func TestHostile(t *testing.T) {
	t.Parallel()
	var rows []signin.Sighting
	for i, bad := range screentest.Hostile {
		rows = append(rows, signin.Sighting{ID: fmt.Sprint("h", i), UserID: bad, UserPrincipalName: bad, AppID: bad, AppDisplayName: bad,
			Resource: bad, ClientAppUsed: bad,
			Protocol: bad, IPAddress: bad, Country: bad, Platform: bad, RiskLevel: bad, PolicyState: bad, Verdict: signin.NotChallenged, Success: true,
			At: screentest.Now.Add(-time.Duration(i) * time.Minute)})
	}
	p := build(rows, 1, signins.Input{Marks: []signins.Mark{{At: screentest.Now.Add(-time.Hour), Text: screentest.Hostile[0], By: screentest.Hostile[1]}},
		Settle: func(r *signins.Row) { r.Place, r.By, r.Settings = r.App, []string{r.App}, "mfa_required" }})
	raw, _ := json.Marshal(map[string]any{"id": "x", screentest.Hostile[0]: screentest.Hostile[3], "status": screentest.Hostile})
	f := &fake{part: &p, raw: raw}
	h := f.house(t)
	pages := []string{"/signins", "/signins?span=24h", "/signins?span=30d"}
	for i := range rows {
		pages = append(pages, "/signins?row="+url.QueryEscape(rows[i].ID), "/signins/row?id="+url.QueryEscape(rows[i].ID))
	}
	for _, address := range pages {
		html := h.HTML(t, address)
		for _, never := range []string{"<script>alert", "<img", "<h1>owned", "<svg/onload", "onerror=alert(1)>", `href="javascript`, `href="//evil`,
			`href="https://evil`} {
			if strings.Contains(html, never) {
				t.Fatalf("%s has %q", address, never)
			}
		}
	}
}

// TestRightIsAsked: every page and every file wants who may see people.
func TestRightIsAsked(t *testing.T) {
	t.Parallel()
	p := build(nil, 1, signins.Input{})
	for _, s := range (&fake{part: &p}).house(t).Screens {
		if s.See != screen.SeePeople {
			t.Errorf("%s wants %s", s.Name, s.See)
		}
	}
}

// FuzzRedact: what stands under the name of a secret is never in what is shown.
func FuzzRedact(f *testing.F) {
	for _, raw := range []string{`{"id":"a"}`, `{"refreshToken":"MARK"}`, `{"a":[{"b":{"Client_Secret":"MARK"}}]}`, `{"password":{"x":["MARK"]}}`,
		`[`, `{"id":1e999}`} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		out := signins.Redact([]byte(raw))
		if out != nil && !json.Valid(out) && json.Valid([]byte(raw)) {
			t.Fatalf("%q became %q", raw, out)
		}
		again := signins.Redact(out)
		if out != nil && string(again) != string(out) {
			t.Fatalf("%q, once more, is %q", out, again)
		}
	})
}

// TestRedact: names of secrets, at any depth, in any case.
func TestRedact(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`{"refreshToken":"MARK"}`, `{"a":[{"b":{"Client_Secret":"MARK"}}]}`, `{"PASSWORD":{"x":["MARK"]}}`,
		`{"access":1,"idToken":"MARK"}`} {
		if out := string(signins.Redact([]byte(raw))); strings.Contains(out, "MARK") || !strings.Contains(out, "[redacted]") {
			t.Errorf("%s became %s", raw, out)
		}
	}
	const plain = `{"z":1,"authenticationMethod":"Password","a":{"tokenIssuerType":"AzureAD"}}`
	if out := string(signins.Redact([]byte(plain))); out != plain {
		t.Errorf("a row without secrets became %s", out)
	}
}
