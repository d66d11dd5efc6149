package app_test

import (
	"context"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/coverage"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/signins"
	"partnerguard/internal/snapshot"

	"partnerguard/internal/screen"
)

// covered is an installation that judged what it collected, with its pages.
type covered struct {
	*watched
	tenant string
	house  *screentest.House
}

func newCovered(t *testing.T) *covered {
	t.Helper()
	w := newWatched(t)
	tenant := strings.ToLower(w.lab.Info.Tenant.ID)
	w.collect(w.lab.Now().AddDate(0, 0, -30))
	if _, _, err := w.s.KeepRound(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	h := screentest.Of(w.s.Cover.Screens()...)
	h.Tenants = []screen.Tenant{{ID: tenant, Name: "Contoso Cloud Partners", Domain: "contoso.example", Partner: true},
		{ID: "22222222-2222-4222-8222-222222222222", Name: "Fabrikam"}}
	h.Now = w.lab.Now()
	return &covered{w, tenant, h}
}

// TestCoverageAndSignIns walks from the matrix to a decision and a rehearsal, and from the
// list of sign-ins to an archived row with its proof.
func TestCoverageAndSignIns(t *testing.T) {
	t.Parallel()
	c := newCovered(t)
	part, mark, err := snapshot.Get[coverage.Part](t.Context(), c.s.Snapshot, c.tenant, coverage.PartName)
	if err != nil || part.Unread != "" || part.Counts.Open == 0 || len(part.Policy) == 0 {
		t.Fatalf("%v %+v %q", err, part.Counts, part.Unread)
	}
	rows, _, err := snapshot.Get[signins.Part](t.Context(), c.s.Snapshot, c.tenant, signins.PartName)
	if err != nil || rows.Total.Rows() == 0 || len(rows.Rows) == 0 {
		t.Fatalf("%v %+v", err, rows.Total)
	}
	if err := c.s.Snapshot.Drop(t.Context(), c.tenant); err != nil {
		t.Fatal(err)
	}
	if err := c.s.KeepDays(t.Context(), c.tenant); err != nil { // as of a customer
		t.Fatal(err)
	}
	again, _, err := snapshot.Get[coverage.Part](t.Context(), c.s.Snapshot, c.tenant, coverage.PartName)
	if err != nil || again.Counts != part.Counts {
		t.Errorf("judged as a customer's, coverage is %+v, and was %+v: %v", again.Counts, part.Counts, err)
	}
	c.house.HTML(t, "/coverage")
	c.house.Shoot(t, "coverage", "/coverage")
	html := c.house.HTML(t, "/coverage?place="+part.Places[0].Key)
	if !strings.Contains(html, "class=\"mx\"") {
		t.Error("the page of one place has no matrix")
	}
	c.openCell(part)
	c.rehearse(mark)
	c.archived(rows)
}

// openCell opens each cell that has a witness, and decides the witness of one by its link.
func (c *covered) openCell(part *coverage.Part) {
	c.Helper()
	_, l, err := c.house.Load(c.Context(), "/coverage")
	if err != nil {
		c.Fatal(err)
	}
	html := c.house.HTML(c.T, "/coverage")
	shot, opened := false, 0
	for _, link := range links(html, "cell=") {
		link = "/coverage" + link
		page := c.house.HTML(c.T, link)
		if !strings.Contains(page, "aria-current=\"true\"") {
			c.Fatalf("%s opens nothing", link)
		}
		if !strings.Contains(page, "A sign-in that goes through") {
			continue
		}
		opened++
		decide := links(page, "/coverage/decide?app=")
		if len(decide) == 0 {
			decide = links(page, "/coverage/decide?account=")
		}
		if len(decide) == 0 {
			c.Fatalf("%s does not lead to a decision", link)
		}
		if answer := c.house.HTML(c.T, decide[0]); !strings.Contains(answer, "MFA is not required") {
			c.Fatalf("the witness of %s is decided otherwise by %s", link, decide[0])
		}
		if !shot {
			shot = true
			c.house.Shoot(c, "coverage-cell", strings.TrimSuffix(link, "#why"))
			c.house.Shoot(c, "decide", decide[0])
		}
		if opened == 12 {
			break
		}
	}
	if opened == 0 {
		c.Errorf("no cell of %d opened with its witness", part.Counts.Open)
	}
	_ = l
}

// links are the addresses of a page that hold a text.
func links(html, want string) (out []string) {
	for _, part := range strings.Split(html, `href="`)[1:] {
		link, _, _ := strings.Cut(part, `"`)
		if link = strings.ReplaceAll(link, "&amp;", "&"); strings.Contains(link, want) {
			out = append(out, link)
		}
	}
	return out
}

// rehearse rehearses a change of a cause, the preset, and pasted policies.
func (c *covered) rehearse(mark snapshot.Mark) {
	c.Helper()
	c.house.Shoot(c, "rehearse-choose", "/coverage/rehearse")
	change := links(c.house.HTML(c.T, "/coverage/rehearse"), "change=")
	if len(change) == 0 {
		c.Fatal("no change is offered")
	}
	done := c.wait(change[0])
	if !strings.Contains(done, "What was rehearsed") {
		c.Errorf("the rehearsal of %s came to nothing:\n%s", change[0], done)
	}
	c.house.Shoot(c, "rehearse", change[0])
	for _, s := range c.house.Screens {
		if s.Name != "coverage/rehearse" {
			continue
		}
		a, err := screen.NewAsk(&s, screentest.Viewer(), c.house.Tenants, url.Values{}, c.house.Now)
		if err != nil {
			c.Fatal(err)
		}
		for _, bad := range []string{"", "{", "[]", `"x"`, `{"displayName":"x"}`,
			`{"state":"enabled","conditions":{"moonPhase":{"full":true}},"grantControls":null}`} {
			if _, err := s.Acts[0].Handle(c.Context(), a, url.Values{"policies": {bad}}); err == nil {
				c.Errorf("%q was taken as a policy", bad)
			}
		}
		said, err := s.Acts[0].Handle(c.Context(), a, url.Values{"policies": {pasted}})
		if err != nil {
			c.Fatal(err)
		}
		if page := c.wait(said.Path); !strings.Contains(page, "the policies that were given") && !strings.Contains(page, "The policies that were given") {
			c.Errorf("pasted policies were not rehearsed:\n%s", page)
		}
	}
	_ = mark
}

const pasted = `{"displayName":"MFA for all","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},
"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`

// wait asks for a page until nothing runs any more.
func (c *covered) wait(address string) string {
	c.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		_, l, err := c.house.Load(c.Context(), address)
		if err != nil {
			c.Fatal(err)
		}
		if l.View.Refresh == 0 {
			return c.house.HTML(c.T, address)
		}
	}
	c.Fatalf("%s is not done", address)
	return ""
}

// archived goes from the list to the archived row, its proof, and a tampered segment.
func (c *covered) archived(part *signins.Part) {
	c.Helper()
	c.house.Shoot(c, "signins", "/signins")
	row := &part.Rows[0]
	if row.Segment == "" || row.ID == "" {
		c.Fatalf("a row does not lead to the archive: %+v", row)
	}
	if row.Cell == "" {
		c.Errorf("a row leads to no cell: %+v", row)
	} else {
		c.house.HTML(c.T, "/coverage?cell="+row.Cell)
	}
	drawer := c.house.HTML(c.T, "/signins?row="+url.QueryEscape(row.Key()))
	if !strings.Contains(drawer, "How it was judged") || !strings.Contains(drawer, "userPrincipalName") || !strings.Contains(drawer, row.Segment) {
		c.Errorf("the drawer has not the archived row:\n%s", drawer)
	}
	c.house.Shoot(c, "signins-row", "/signins?row="+url.QueryEscape(row.Key()))
	hour := row.At.Format("2006-01-02T15")
	if page := c.house.HTML(c.T, "/signins?hour="+hour+"&all=1"); !strings.Contains(page, "out of the archive") {
		c.Errorf("the hour was not read from the archive")
	}
	c.house.Shoot(c, "signins-hour", "/signins?hour="+hour)
	ways := links(drawer, "/signins/row?")
	if len(ways) == 0 {
		c.Fatal("the drawer does not lead to the proof")
	}
	address := strings.TrimSuffix(ways[0], "#proof")
	page := c.house.HTML(c.T, address)
	if !strings.Contains(page, "verified just now") {
		c.Errorf("the row is not proved:\n%s", page)
	}
	c.house.Shoot(c, "row", address)
	c.proofFile(address, row)
	// Another tenant's viewer does not get it, though the segment is named.
	if _, _, err := c.house.Load(c.Context(), strings.Replace(address, c.tenant, c.house.Tenants[1].ID, 1)); err == nil {
		c.Error("a row of one tenant is shown under another")
	}
	c.tamper(row)
	if page := c.house.HTML(c.T, address); strings.Contains(page, "verified just now") || !strings.Contains(page, "damaged") {
		c.Errorf("a tampered segment is not told:\n%s", page)
	}
}

// proofFile checks what is downloaded as whoever gets it would.
func (c *covered) proofFile(address string, row *signins.Row) {
	c.Helper()
	u, err := url.Parse(address)
	if err != nil {
		c.Fatal(err)
	}
	for _, s := range c.house.Screens {
		if len(s.Files) == 1 {
			f := &s.Files[0]
			a, err := screen.NewAsk(&s, screentest.Viewer(), c.house.Tenants, u.Query(), c.house.Now)
			if err != nil {
				c.Fatal(err)
			}
			d, err := f.Load(c.Context(), a)
			if err != nil {
				c.Fatal(err)
			}
			p, err := archive.ReadProof(d.Body)
			if err != nil {
				c.Fatal(err)
			}
			by, err := c.s.Keeper.Verifiers(c.Context())
			if err != nil {
				c.Fatal(err)
			}
			shows, err := p.Verify(by...)
			if err != nil || !shows.Signed || !strings.Contains(string(shows.Page.Body), row.ID) {
				c.Fatalf("the proof does not hold: %v", err)
			}
			var page struct{ Value []json.RawMessage }
			if json.Unmarshal(shows.Page.Body, &page) != nil || len(page.Value) == 0 {
				c.Error("the page that is proved is no list")
			}
			return
		}
	}
	c.Fatal("no page hands out a proof")
}

// tamper changes a byte in the middle of the segment of a row.
func (c *covered) tamper(row *signins.Row) {
	c.Helper()
	s, err := c.s.Archive.Segment(context.Background(), row.Segment)
	if err != nil {
		c.Fatal(err)
	}
	path := c.s.Archive.Dir + "/" + s.Object
	raw, err := os.ReadFile(path) //nolint:gosec // of the test
	if err != nil {
		c.Fatal(err)
	}
	for i := len(raw) / 4; i < len(raw)*3/4; i++ {
		raw[i] ^= 0x55
	}
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		c.Fatal(err)
	}
}
