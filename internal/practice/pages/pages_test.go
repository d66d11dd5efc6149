package pages_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/partner"
	"partnerguard/internal/practice"
	"partnerguard/internal/practice/pages"
	"partnerguard/internal/practice/render"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
)

const person = "ada@contoso.com"

// judged is what the practices come to where hardly anything was read, with every verdict in
// it, and texts of somebody else.
func judged() *practice.Report {
	at := screentest.Now.Add(-time.Hour)
	f := facts.New()
	f.SetTime(at)
	o := assess.Options{AsOf: at, Kind: partner.DirectBill, Cloud: partner.Public}
	r := render.Settled(practice.Judge(f, assess.Assess(f, o), practice.Options{AsOf: at, Kind: partner.DirectBill, Cloud: partner.Public, Assess: o}))
	for i, v := range []assess.Verdict{assess.NotMet, assess.Met, assess.Attested, assess.NotApplicable} {
		q := &r.Practices[i]
		q.Verdict, q.Reason, q.Affected, q.Total, q.Unit = v, "of 23 accounts 4 are like "+person+" <script>alert(1)</script>", 4, 23, "accounts"
		q.AttestedBy, q.Evidence = person, []assess.Evidence{{Subject: person, Detail: "<img src=x>", Source: evidence.Source{Path: "users.json"},
			Observed: &at}}
	}
	return r
}

func house(r *practice.Report) *screentest.House {
	p := &pages.Pages{Report: func(context.Context) (*practice.Report, error) {
		if r == nil {
			return nil, problem.New(problem.NotFound, "nothing yet")
		}
		return r, nil
	}}
	return screentest.Of(p.Screens()...)
}

// TestPractices: the list has each practice with its verdict, and each has a page that says
// what decided it, what settles it and what brings it about.
func TestPractices(t *testing.T) {
	t.Parallel()
	r := judged()
	h := house(r)
	text := h.HTML(t, "/practices")
	for i := range r.Practices {
		if !strings.Contains(text, "/practices/one?id="+r.Practices[i].ID) {
			t.Errorf("%s is not in the list", r.Practices[i].ID)
		}
		q := &r.Practices[i]
		one := h.HTML(t, "/practices/one?id="+q.ID)
		if !strings.Contains(one, q.ID) || q.Remedy.Plan != "" && !strings.Contains(one, "remedy plan "+q.Remedy.Plan) {
			t.Errorf("%s: the page lacks its remedy", q.ID)
		}
		if q.Verdict == assess.Unknown && !strings.Contains(one, "What settles it") {
			t.Errorf("%s: nothing settles it", q.ID)
		}
	}
	for _, bad := range []string{"<script>alert", "<img src"} {
		if strings.Contains(text+h.HTML(t, "/practices/one?id="+r.Practices[0].ID), bad) {
			t.Error("a text of somebody else is markup")
		}
	}
	if text := h.HTML(t, "/practices?verdict=not_met"); strings.Contains(text, "/practices/one?id="+r.Practices[1].ID) {
		t.Error("the filter keeps what is met")
	}
	if _, _, err := h.Load(t.Context(), "/practices/one?id=P99"); err == nil {
		t.Error("a page of no practice")
	}
	if text := house(nil).HTML(t, "/practices"); !strings.Contains(text, "Nothing was judged yet") {
		t.Error("nothing is said where nothing was judged")
	}
	screentest.HoldLists(t, h.Screens)
	h.Shoot(t, "practices", "/practices")
	h.Shoot(t, "practice", "/practices/one?id="+r.Practices[0].ID)
}

// TestLimited: who sees some customers alone, or no people, is told the verdicts and nobody.
func TestLimited(t *testing.T) {
	t.Parallel()
	r := judged()
	h := house(r)
	if !strings.Contains(h.HTML(t, "/practices/one?id="+r.Practices[0].ID), person) {
		t.Fatal("nobody is named to anybody")
	}
	few, some := screentest.Viewer(), screentest.Viewer()
	few.Rights, some.Customers = []screen.Right{screen.SeePosture}, []string{"22222222-2222-4222-8222-222222222222"}
	for name, v := range map[string]*screen.Viewer{"no people": few, "some customers": some} {
		h.Viewer = v
		for _, at := range []string{"/practices", "/practices/one?id=" + r.Practices[0].ID, "/practices/one?id=" + r.Practices[2].ID} {
			if text, err := h.Render(t.Context(), at); err == nil && strings.Contains(text, person) {
				t.Errorf("%s: %s names somebody", name, at)
			}
		}
	}
}
