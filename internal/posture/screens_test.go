package posture_test

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/partner"
	"partnerguard/internal/posture"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/snapshot"
)

// pages are the pages over a rig, at its clock.
func (r *rig) pages() *screentest.House {
	r.Helper()
	s, err := snapshot.New(snapshot.Deps{DB: r.d, Now: func() time.Time { return r.at }})
	r.must(err)
	d := r.deps
	d.Snapshot = s
	d.Deadlines = func(context.Context, *screen.Viewer) []screen.Item {
		return []screen.Item{{When: "4 d", Lead: "Connection billing dies"}}
	}
	r.Store, err = posture.New(d)
	r.must(err)
	r.snapshot = s
	return &screentest.House{Screens: r.Screens(), Now: r.at, Tenants: []screen.Tenant{{ID: tenant, Name: "Contoso", Partner: true}}}
}

// look keeps what the page shows beside the kept state.
func (r *rig) look(p posture.StatusInput) {
	r.Helper()
	back, err := r.Lookback(r.Context(), tenant, r.at)
	r.must(err)
	p.Tenant, p.At, p.Back = tenant, r.at, back
	r.must(r.snapshot.Put(r.Context(), tenant, r.at, "s1", map[string]any{posture.StatusPartName: posture.BuildStatus(p)}))
}

// do does an act of a page as somebody.
func (r *rig) do(h *screentest.House, page, act, actor string, form url.Values) (screen.Done, error) {
	r.Helper()
	for i := range h.Screens {
		for k := range h.Screens[i].Acts {
			if a := &h.Screens[i].Acts[k]; h.Screens[i].Name == page && a.Name == act {
				checked, err := a.Check(form)
				if err != nil {
					return screen.Done{}, err
				}
				v := screentest.Viewer()
				v.Actor = actor
				return a.Handle(r.Context(), &screen.Ask{Viewer: v, Now: r.at}, checked)
			}
		}
	}
	r.Fatalf("no act %s of %s", act, page)
	return screen.Done{}, nil
}

func says(t *testing.T, html string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(html, w) {
			t.Errorf("the page does not say %q", w)
		}
	}
}

// TestStatusPage: the verdicts, both views beside each other, what turned and why, the
// causes with their commands; and days of the past as they were judged then.
func TestStatusPage(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	h := r.pages()
	says(t, h.HTML(t, "/status"), "Nothing was judged yet", "partnerguard collect --now")
	r.keep(good(0))
	r.at = monday.Add(30 * time.Hour)
	r.keep(excluded(1))
	h.Now = r.at
	says(t, h.HTML(t, "/status"), "Causes and evidence are not here yet", "MFA for every user", "1 account is not asked for MFA")
	r.look(posture.StatusInput{Log: map[string]int64{"notChallenged": 3, "challenged": 40}, StatusPart: posture.StatusPart{Complete: true,
		Score: posture.Score{Known: true, Current: 78.5, Max: 100, Admins: 3, Accounts: 41},
		Details: []posture.Detail{{ID: "mfa-every-user", Action: "close the gap", Hours: 24, HoursWhy: "settings change",
			Evidence: []posture.Decider{{Subject: "bo@contoso.com", Detail: "is left out of MFA for all", Source: "archive:" + tenant + "/policies.json[1]"}}}},
		Causes: []posture.Fix{{Rank: 2, Kind: "account", Title: "second"}, {Rank: 1, Kind: "settings", Title: "Drop the exclusion", Detail: "Closes 1 account",
			Requirements: []string{"mfa-every-user"}, Changes: []string{"1a2b3c4d", "5e6f7a8b"}}}}})
	html := h.HTML(t, "/status")
	says(t, html, "78.5", "It looks at 3 of 41 accounts", "Connection billing dies", "Drop the exclusion", "/coverage/rehearse?change=1a2b3c4d%2C5e6f7a8b",
		"partnerguard rehearse --from archive:"+tenant+" --change 1a2b3c4d --change 5e6f7a8b", "met → not met", "1 of 1 not met are already enforced")
	if strings.Index(html, "Drop the exclusion") > strings.Index(html, ">second<") {
		t.Error("causes are not in their order")
	}
	says(t, h.HTML(t, "/status?row=mfa-every-user"), "What decided it", "is left out of MFA for all", "archive/policies.json[1]",
		"3 sign-ins without MFA and 40 with",
		"learn.microsoft.com", "/exceptions/ask?requirement=mfa-every-user")
	past := h.HTML(t, "/status?at=2026-11-02")
	says(t, past, "A day of the past", "nothing that is not met", "/status?at=2026-11-02&amp;row=mfa-every-user")
	if strings.Contains(past, "Drop the exclusion") || strings.Contains(past, "78.5") {
		t.Error("what is of today is shown of a day of the past")
	}
	for address, n := range map[string]int{"/status": 2, "/status?changed=yes": 1, "/status?verdict=met": 1, "/status?verdict=not_met": 1,
		"/status?level=mandatory": 2, "/status?level=recommended": 0, "/status?at=2026-11-02&verdict=met": 2} {
		_, l, err := h.Load(t.Context(), address)
		if err != nil || l.Rows.Matched != n {
			t.Errorf("%s: %+v %v", address, l, err)
		}
	}
	for _, bad := range []string{"/status?at=yesterday", "/status?at=2027-01-01", "/status?at=2026-13-01"} {
		if _, _, err := h.Load(t.Context(), bad); !errors.Is(err, problem.Usage) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	says(t, h.HTML(t, "/status?at=2026-10-01"), "Nothing was judged by 1 Oct 2026")
	if n := h.Screens[0].Needs(t.Context(), screentest.Viewer()); n != 1 {
		t.Errorf("%d need somebody", n)
	}
}

// TestDaysNobodyJudged: a gap between judgements is a gap in the bars and the trend, and
// no verdict of before.
func TestDaysNobodyJudged(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	h := r.pages()
	r.keep(good(0))
	r.keep(excluded(5))
	r.at = monday.AddDate(0, 0, 6)
	h.Now = r.at
	back, err := r.Lookback(t.Context(), tenant, r.at)
	r.must(err)
	by := map[string]posture.AccountDay{}
	for _, d := range back.Days {
		by[d.Day] = d
	}
	for day, judged := range map[string]bool{"2026-11-01": false, "2026-11-02": true, "2026-11-04": false, "2026-11-06": false, "2026-11-07": true,
		"2026-11-08": false} {
		if by[day].Judged != judged {
			t.Errorf("%s was judged: %v", day, !judged)
		}
	}
	if d := by["2026-11-02"]; d.Accounts != 2 || d.Ordinary != 0 || d.Open != -1 {
		t.Errorf("%+v: what was not kept then is no zero", d)
	}
	if d := by["2026-11-07"]; d.Ordinary != 1 {
		t.Errorf("%+v", d)
	}
	if len(back.Marks) != 1 || back.Marks[0].Day != "2026-11-07" || back.Marks[0].Text != "MFA for all edited" {
		t.Errorf("%+v", back.Marks)
	}
	_, l, err := h.Load(t.Context(), "/status")
	r.must(err)
	row, ok := l.Rows.Items[0].(*posture.StatusRow)
	if !ok || row.Days[len(row.Days)-1] != "" || row.Days[len(row.Days)-2] != posture.NotMet || row.Days[len(row.Days)-4] != "" ||
		row.Days[len(row.Days)-7] != posture.Met {
		t.Errorf("%+v", row)
	}
}

// TestExceptionsPage: asked for by one, approved by another, ended; an attestation is
// kept and taken back. All of it by who is signed in.
func TestExceptionsPage(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	h := r.pages()
	says(t, h.HTML(t, "/exceptions"), "Nobody leaves anything out", "/exceptions/ask")
	form := url.Values{"requirement": {"mfa-every-user"}, "account": {"bo@contoso.com\r\n cy@contoso.com"}, "owner": {"Cleo Park"},
		"reason":  {"a scanner\r\nthat cannot answer"},
		"control": {"one address only"}, "until": {"2026-11-12"}}
	done, err := r.do(h, "exceptions", "ask", "oidc:ada@contoso.com", form)
	r.must(err)
	x, ok := done.Body.(posture.Exception)
	if !ok || x.AddedBy != "oidc:ada@contoso.com" || len(x.Accounts) != 2 || x.Expires.Format(time.DateOnly) != "2026-11-13" ||
		x.Reason != "a scanner that cannot answer" {
		t.Fatalf("%+v", x)
	}
	id := url.Values{"id": {x.ID}}
	h.Viewer = screentest.Viewer() // local:ada
	html := h.HTML(t, "/exceptions?row="+x.ID)
	says(t, html, "waits for approval", "another person has to approve it", "ends within 14 days", "Nothing: it was not approved")
	if strings.Contains(html, "/exceptions/approve") {
		t.Error("who asked is offered to approve")
	}
	if _, err := r.do(h, "exceptions", "approve", "local:ada", id); !errors.Is(err, problem.Usage) {
		t.Errorf("approved by who asked: %v", err)
	}
	h.Viewer.Actor = "oidc:ravi@contoso.com"
	says(t, h.HTML(t, "/exceptions?row="+x.ID), "/exceptions/approve", "One waits for your approval")
	if n := h.Screens[1].Needs(t.Context(), h.Viewer); n != 1 {
		t.Errorf("%d need somebody", n)
	}
	h.Viewer.Rights = []screen.Right{screen.SeePosture}
	html = h.HTML(t, "/exceptions?row="+x.ID)
	if strings.Contains(html, "/exceptions/approve") || strings.Contains(html, "/exceptions/end") || strings.Contains(html, "/exceptions/ask") {
		t.Error("a reader is offered to act")
	}
	h.Viewer = nil
	_, err = r.do(h, "exceptions", "approve", "oidc:ravi@contoso.com", id)
	r.must(err)
	says(t, h.HTML(t, "/exceptions?row="+x.ID), "in force", "oidc:ravi@contoso.com", "are silent for bo@contoso.com, cy@contoso.com")
	if s, err := r.Silenced(t.Context(), "mfa-every-user", bo, "bo@contoso.com"); err != nil || s == nil {
		t.Errorf("approved and not silent: %v %v", s, err)
	}
	_, err = r.do(h, "exceptions", "end", "oidc:elena@contoso.com", id)
	r.must(err)
	says(t, h.HTML(t, "/exceptions?row="+x.ID), "Ended by", "oidc:elena@contoso.com")

	done, err = r.do(h, "exceptions", "attest", "local:ada", url.Values{"requirement": {"app-passwords"}, "who": {"Ada Byrne"},
		"reason": {"looked"}, "until": {"2027-04-30"}})
	r.must(err)
	k, ok := done.Body.(posture.KeptStatement)
	if !ok || k.Actor != "local:ada" || k.Statement.Since != "2026-11-02" {
		t.Fatalf("%+v", done)
	}
	says(t, h.HTML(t, "/exceptions?kind=attestation&row="+k.ID), "counts", "Ada Byrne", "/exceptions/withdraw")
	_, err = r.do(h, "exceptions", "withdraw", "local:bo", url.Values{"id": {k.ID}})
	r.must(err)
	if _, l, err := h.Load(t.Context(), "/exceptions?kind=attestation"); err != nil || l.Rows.Matched != 0 {
		t.Errorf("%+v %v", l, err)
	}
	done, err = r.do(h, "exceptions", "attest", "local:ada", url.Values{"requirement": {"P22"}, "who": {"Ada Byrne"}, "reason": {"looked"},
		"until": {"2027-04-30"}})
	r.must(err)
	k, _ = done.Body.(posture.KeptStatement)
	says(t, h.HTML(t, "/exceptions?row="+k.ID), "counts", "/practices/one?id=P22")
	for name, id := range map[string]string{"one that data alone decides": dataAlone(), "none": "P99"} {
		if _, err := r.do(h, "exceptions", "attest", "local:ada", url.Values{"requirement": {id}, "who": {"Ada Byrne"}, "reason": {"looked"},
			"until": {"2027-04-30"}}); !errors.Is(err, problem.Usage) {
			t.Errorf("%s, %s: %v", name, id, err)
		}
	}
	for name, bad := range map[string]url.Values{
		"no end":         {"requirement": {"mfa-every-user"}, "owner": {"C"}, "reason": {"r"}, "control": {"c"}},
		"past":           {"requirement": {"mfa-every-user"}, "owner": {"C"}, "reason": {"r"}, "control": {"c"}, "until": {"2026-11-01"}},
		"no day":         {"requirement": {"mfa-every-user"}, "owner": {"C"}, "reason": {"r"}, "control": {"c"}, "until": {"soon"}},
		"no requirement": {"requirement": {"nothing"}, "owner": {"C"}, "reason": {"r"}, "control": {"c"}, "until": {"2026-12-01"}},
		"another field": {"requirement": {"mfa-every-user"}, "owner": {"C"}, "reason": {"r"}, "control": {"c"}, "until": {"2026-12-01"},
			"state": {"approved"}},
		"turned around": {"requirement": {"mfa-every-user"}, "owner": {"C\u202e"}, "reason": {"r"}, "control": {"c"}, "until": {"2026-12-01"}},
	} {
		if _, err := r.do(h, "exceptions", "ask", "local:ada", bad); !errors.Is(err, problem.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWhatLapsed: an exception that nobody approved before its end is shown as that.
func TestWhatLapsed(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	h := r.pages()
	x := ask()
	x.Expires = monday.AddDate(0, 0, 2)
	y, err := r.AddException(t.Context(), x, "local:ada")
	r.must(err)
	r.at = monday.AddDate(0, 0, 3)
	h.Now = r.at
	says(t, h.HTML(t, "/exceptions?standing=lapsed&row="+y.ID), "lapsed, never approved", "it never did")
	_, err = r.d.ExecContext(t.Context(), "UPDATE exceptions SET state = 'approved', decided_by = 'local:ravi', decided = added, expires = expires * 2")
	r.must(err)
	says(t, h.HTML(t, "/exceptions?row="+y.ID), "does not count", "not as it was written")
}

// TestStatusIsSafe: whatever a tenant calls things stays text on the pages.
func TestStatusIsSafe(t *testing.T) {
	t.Parallel()
	r := newRig(t, dbtest.SQLite(t))
	h := r.pages()
	r.keep(good(0))
	for i, s := range screentest.Hostile {
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			continue // what a database refuses never came this far
		}
		r.at = monday.Add(time.Duration(i+1) * time.Hour)
		h.Now = r.at
		st := excluded(0)
		st.AsOf, st.Judged = r.at, r.at
		st.Settings[0].Name = s
		st.Accounts[1].Name = s
		st.Requirements[0].Subjects, st.Requirements[0].Reason = []string{s}, s
		st.Disagreements = []posture.Disagreement{{Account: s, Text: s}}
		r.keep(st)
		r.look(posture.StatusInput{StatusPart: posture.StatusPart{Incomplete: []string{s},
			Score:   posture.Score{Known: true, Requirements: []posture.ScorePoint{{Type: s}}},
			Details: []posture.Detail{{ID: "mfa-every-user", Action: s, Evidence: []posture.Decider{{Subject: s, Detail: s, Source: s}}}},
			Causes: []posture.Fix{{Rank: 1, Kind: "settings", Title: s, Detail: s, Requirements: []string{"mfa-every-user"}, Changes: []string{s}, Proof: s,
				Accounts: 1}},
			Dates: []posture.DatedThing{{What: s, When: s, Hits: s, Date: r.at}}}})
		for _, address := range []string{"/status", "/status?row=mfa-every-user"} {
			html := h.HTML(t, address)
			for _, bad := range []string{"<script>alert", "<img src=x", "<svg/onload", `href="javascript:`, `href="//evil`, `href="https://evil`,
				"\x1b", "\u202e", "<h1>owned"} {
				if strings.Contains(html, bad) {
					t.Fatalf("%q is on %s of %q", bad, address, s)
				}
			}
		}
	}
}

// dataAlone is a best practice that nobody's word decides.
func dataAlone() string {
	all := partner.Practices()
	return all[slices.IndexFunc(all, func(p partner.Practice) bool { return !p.Mode.Attestable() })].ID
}
