package automation

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/signin"
)

// Without the role assignments an account that is named like that of directory
// synchronisation is for a person to look at.
func TestSyncWithoutRoles(t *testing.T) {
	t.Parallel()
	const ropc = `"authenticationProtocol":"ropc",` + passwordOnly
	for named, want := range map[string]Confidence{"On-Premises Directory Synchronization Service Account": Possible, "Sync Mallory": Certain} {
		r := newLog(t).add(evidence.User, `{"id":"sync","userPrincipalName":"Sync_X@contoso.com","displayName":"`+named+`","accountEnabled":true}`).
			row(day0, "sync", strings.Replace(ropc, `"authenticationProtocol"`, `"userPrincipalName":"Sync_X@contoso.com","authenticationProtocol"`, 1)).items()
		if len(r.Items) != 1 || r.Items[0].Confidence != want {
			t.Errorf("%s: %+v", named, r.Items)
		}
	}
}

// Rows that name the account only are the same item as those with its id.
func TestRowsWithoutAnID(t *testing.T) {
	t.Parallel()
	const ropc = `"authenticationProtocol":"ropc",` + passwordOnly
	l := newLog(t).add(evidence.User, `{"id":"U-1","userPrincipalName":"Ada@contoso.com","accountEnabled":true}`)
	l.row(day0, "u-1", `"userPrincipalName":"Ada@contoso.com",`+ropc)
	l.rows = append(l.rows, `{"id":"x","createdDateTime":"2026-10-06T00:00:00Z","userPrincipalName":"ADA@contoso.com","appId":"APP-1",`+ropc+`}`)
	r := l.items()
	if len(r.Items) != 1 || r.Items[0].Evidence.SignIns != 2 || r.Items[0].Account != "u-1" || r.Items[0].Name != "ADA@contoso.com" {
		t.Errorf("%+v", r.Items)
	}
}

func TestWhatTheAppsSay(t *testing.T) {
	t.Parallel()
	l := newLog(t).
		add(evidence.Application, `{"id":"o","appId":"APP-1","displayName":"Billing Sync","keyCredentials":[{"keyId":"k"}]}`).
		row(day0, "ada", `"authenticationProtocol":"ropc",`+passwordOnly)
	l.rows = append(l.rows, `{"id":"sp","createdDateTime":"2026-10-06T00:00:00Z","servicePrincipalId":"sp-1","servicePrincipalName":"Billing Sync","appId":"app-1","signInEventTypes":["servicePrincipal"],"status":{"errorCode":0}}`)
	why := strings.Join(l.items().Items[0].Why, "; ")
	for _, want := range []string{"registered in this tenant", "credential of its own", "signs in as itself (once)"} {
		if !strings.Contains(why, want) {
			t.Errorf("%q is not in %q", want, why)
		}
	}
}

// randomLog draws from small pools, so that keys, days and addresses meet.
func randomLog(t *testing.T, r *rand.Rand, n int) *log {
	l := newLog(t)
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	for range n {
		l.row(day0.Add(time.Duration(r.IntN(40*24*60))*time.Minute), pick("ada", "svc-a", "scanner", "eve", "bob"),
			pick(`"authenticationProtocol":"ropc",`, `"authenticationProtocol":"deviceCode",`, "", `"userAgent":"curl/8",`, `"clientAppUsed":"IMAP4",`,
				`"clientAppUsed":"SMTP",`)+
				pick(`"appId":"04b07795-8ddb-461a-bbee-02f9e1bf7b46",`, "", `"appId":"app-2","appDisplayName":"Two",`)+
				fmt.Sprintf(`"ipAddress":"203.0.113.%d",`, r.IntN(12))+pick(`"isInteractive":true,`, "")+pick(passwordOnly, fresh, byClaim, stopped, wrong))
	}
	return l
}

// However the rows are shared out over goroutines and folds, the answer is the
// same, also when there are more items than are kept apart.
func TestSplitsAgree(t *testing.T) {
	t.Parallel()
	cut := 0
	seeds := uint64(60)
	if testing.Short() {
		seeds = 12
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 9))
		l := randomLog(t, r, 20+r.IntN(400))
		limit := []int{0, 3, 7, 12}[seed%4]
		want := asJSON(t, l.result(limit, 1, func(int) int { return 0 }))
		if limit == 0 && !strings.Contains(want, `"Beyond": 0,`) {
			t.Fatalf("seed %d: cut without a limit", seed)
		}
		if !strings.Contains(want, `"Beyond": 0,`) {
			cut++
		}
		for range 3 {
			parts := 1 + r.IntN(6)
			if d := cmp.Diff(want, asJSON(t, l.result(limit, parts, func(int) int { return r.IntN(parts) }))); d != "" {
				t.Fatalf("seed %d, limit %d, %d parts:\n%s", seed, limit, parts, d)
			}
		}
	}
	if cut < int(seeds)/3 {
		t.Errorf("only %d logs had more items than the limit", cut)
	}
}

func asJSON(t *testing.T, r Result) string {
	t.Helper()
	b, err := json.MarshalIndent(struct {
		Items   []Item
		Covered []Span
		Beyond  int64
		Seen    map[string]time.Time
	}{r.Items, r.Covered, r.Beyond, r.seen}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + ","
}

// Collectors of one fold that saw different rows add up to the same; this is
// what parallel reading does. Here every row goes to a collector by chance.
func TestCollectorsAgree(t *testing.T) {
	t.Parallel()
	seeds := uint64(80)
	if testing.Short() {
		seeds = 15
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 3))
		var list []signin.Sighting
		for i := range 300 {
			u := fmt.Sprint("svc-", r.IntN(9))
			list = append(list, signin.Sighting{ID: fmt.Sprint(i), UserID: u, UserPrincipalName: u + "@x", AppID: fmt.Sprint("a", r.IntN(4)),
				AppDisplayName: fmt.Sprint("n", r.IntN(3)), IPAddress: fmt.Sprint("10.0.0.", r.IntN(14)),
				Verdict: []signin.Verdict{signin.NotChallenged, signin.Failed, signin.Challenged, signin.Interrupted}[r.IntN(4)],
				Reason:  signin.ReasonPromptAbandoned, Success: true, ROPC: r.IntN(2) == 0, Legacy: r.IntN(3) == 0, ClientAppUsed: "IMAP4",
				Interactive: signin.Tri(r.IntN(3)), Program: []string{"", "curl/8", "python-requests/2", "a", "b", "c"}[r.IntN(6)],
				At: day0.Add(time.Duration(r.IntN(600*24)) * time.Hour)})
		}
		limit := []int{0, 5, 15}[seed%3]
		answer := func(n int) string {
			f := facts.New()
			seen := NewFold(f.Directory, limit)
			visitors := make([]signin.Visitor, n)
			for i := range visitors {
				visitors[i] = seen.Visitor()
			}
			for i := range list {
				visitors[r.IntN(n)].See(&list[i])
			}
			return asJSON(t, Items(seen, f))
		}
		want := answer(1)
		for n := 2; n < 6; n++ {
			if d := cmp.Diff(want, answer(n)); d != "" {
				t.Fatalf("seed %d, %d collectors:\n%s", seed, n, d)
			}
		}
	}
}

// What is kept does not grow with the log.
func TestBounded(t *testing.T) {
	t.Parallel()
	f := facts.New()
	seen := NewFold(f.Directory, 10)
	v := seen.Visitor().(*collector)
	for i := range 50_000 {
		v.See(&signin.Sighting{ID: fmt.Sprint(i), UserID: fmt.Sprint("u", i%5000), AppID: "a", ROPC: true, Success: true, Verdict: signin.NotChallenged,
			IPAddress: fmt.Sprint("10.0.", i/250, ".", i%250),
			Program:   fmt.Sprint("curl/", i), At: day0.Add(time.Duration(i) * time.Hour)})
	}
	if len(v.traces) > 21 {
		t.Errorf("%d traces", len(v.traces))
	}
	for _, tr := range v.traces {
		if len(tr.addrs) > maxAddrs || len(tr.programs) > maxPrograms || len(tr.days) > maxDays || len(tr.examples) > maxExamples {
			t.Errorf("%d %d %d %d", len(tr.addrs), len(tr.programs), len(tr.days), len(tr.examples))
		}
	}
	r := Items(seen, f)
	var rows int64
	for _, it := range r.Items {
		rows += it.Evidence.SignIns
	}
	if len(r.Items) != 10 || rows+r.Beyond != 50_000 || len(r.Covered) != 0 {
		t.Errorf("%d items, %d rows and %d beyond, covered %v", len(r.Items), rows, r.Beyond, r.Covered)
	}
}

func TestCovered(t *testing.T) {
	t.Parallel()
	day := func(n int) time.Time { return day0.AddDate(0, 0, n) }
	both := func(l *log, days ...int) *log {
		for _, d := range days {
			l.row(day(d).Add(8*time.Hour), "ada", `"isInteractive":true,`+fresh).row(day(d).Add(20*time.Hour), "ada", byClaim)
		}
		return l
	}
	span := func(from, to int) Span { return Span{day(from).Add(8 * time.Hour), day(to).Add(20 * time.Hour)} }
	if r := both(newLog(t), 0, 1, 2).row(day(1), "eve", `"authenticationProtocol":"ropc",`+passwordOnly).
		row(day(1), "bob", `"authenticationProtocol":"ropc",`+passwordOnly).result(1, 1, func(int) int { return 0 }); r.Beyond != 1 || len(r.Covered) != 0 {
		t.Errorf("with an item past the limit %v is covered", r.Covered)
	}
	for name, c := range map[string]struct {
		log  func(*log) *log
		want []Span
	}{
		"days in a row":          {func(l *log) *log { return both(l, 0, 1, 2, 3) }, []Span{span(0, 3)}},
		"a quiet weekend":        {func(l *log) *log { return both(l, 4, 7, 8) }, []Span{span(4, 8)}},
		"three days are missing": {func(l *log) *log { return both(l, 0, 1, 5, 6) }, []Span{span(0, 1), span(5, 6)}},
		"only interactive":       {func(l *log) *log { return l.every(day(0), time.Hour, 90, "ada", `"isInteractive":true,`+fresh) }, []Span{}},
		"only non-interactive":   {func(l *log) *log { return l.every(day(0), time.Hour, 90, "ada", byClaim) }, []Span{}},
		"a day of a v1.0 export": {func(l *log) *log {
			return both(l, 0, 1, 2, 3).row(day(1), "eve", `"isInteractive":true,"status":{"errorCode":0}`)
		}, []Span{span(0, 0), span(2, 3)}},
		"a page is missing": {func(l *log) *log {
			l.f.Inputs = []evidence.Input{{Path: "x", Status: evidence.Read, NextLink: true, Kinds: map[evidence.Kind]int{evidence.SignIn: 4}}}
			return both(l, 0, 1, 2, 3)
		}, []Span{}},
		"a part is unreadable": {func(l *log) *log {
			l.f.Inputs = []evidence.Input{{Path: "x", Status: evidence.Partial, Kinds: map[evidence.Kind]int{evidence.SignIn: 4}}}
			return both(l, 0, 1, 2, 3)
		}, []Span{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, c.log(newLog(t)).items().Covered); d != "" {
				t.Error(d)
			}
		})
	}
}

// FuzzSee: no sighting, however odd, upsets the collector, and the counts add up.
func FuzzSee(f *testing.F) {
	f.Add("u", "upn@x", "app", "name", "IMAP4", "10.0.0.1", "curl/8", int64(1790000000), byte(7), byte(3))
	f.Add("", "", "", "", "", "", "", int64(-1<<40), byte(0), byte(255))
	f.Add("\xff", "\x00", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", strings.Repeat("é", 300), "x", "::1", "PowerShell/7", int64(1<<40), byte(2), byte(17))
	f.Fuzz(func(t *testing.T, user, upn, app, name, client, ip, program string, sec int64, verdict, flags byte) {
		s := signin.Sighting{UserID: user, UserPrincipalName: upn, AppID: app, AppDisplayName: name, ClientAppUsed: client, IPAddress: ip, Program: program,
			At:      time.Unix(sec%(1<<38), 0),
			Verdict: signin.Verdict(verdict % 7), Success: flags&1 != 0, ROPC: flags&2 != 0, Legacy: flags&4 != 0, DeviceCode: flags&8 != 0,
			Interactive: signin.Tri(flags >> 4 % 3)}
		x := facts.New()
		seen := NewFold(x.Directory, 2)
		for range 6 {
			seen.Visitor().See(&s)
		}
		r := Items(seen, x)
		for _, it := range r.Items {
			if it.Evidence.SignIns+it.Evidence.Stopped == 0 || it.Evidence.SignIns+it.Evidence.Stopped+it.Evidence.Failed > 6 || it.Confidence == "" ||
				len(it.Why) == 0 {
				t.Fatalf("%+v", it)
			}
			if _, err := json.Marshal(it); err != nil {
				t.Fatal(err)
			}
			if r.lastSeen(&it).IsZero() != it.Evidence.Last.IsZero() {
				t.Fatalf("seen %v, last %v", r.seen, it.Evidence.Last)
			}
		}
	})
}

// A guess at a password is counted and says nothing more: it is no use of the
// account, and must not reopen what is gone.
func TestFailuresAreNoUse(t *testing.T) {
	t.Parallel()
	const ropc = `"authenticationProtocol":"ropc",`
	e := newLog(t).row(day0, "ada", ropc+passwordOnly).row(day0.AddDate(0, 0, 9), "ada", `"ipAddress":"198.51.100.9",`+ropc+wrong).items().Items[0].Evidence
	if e.SignIns != 1 || e.Failed != 1 || !e.Last.Equal(day0) || e.Addresses != 1 || e.Days != 1 || len(e.Examples) != 1 {
		t.Errorf("%+v", e)
	}
}
