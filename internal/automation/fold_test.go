package automation

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/fold"
	"partnerguard/internal/signin/read"
)

var day0 = time.Date(2026, 10, 5, 0, 0, 0, 0, time.UTC) // a Monday

// log builds facts and a sign-in log from JSON as it is exported.
type log struct {
	t    *testing.T
	f    *facts.Facts
	rows []string
}

func newLog(t *testing.T) *log { return &log{t: t, f: facts.New()} }

func (l *log) add(kind evidence.Kind, records ...string) *log {
	l.t.Helper()
	for i, r := range records {
		if err := l.f.Take(kind, []byte(r), evidence.Source{Path: "export.json", Index: i + 1}); err != nil {
			l.t.Fatalf("%s: %v", r, err)
		}
	}
	return l
}

const (
	passwordOnly = `"authenticationRequirement":"singleFactorAuthentication","authenticationDetails":[{"authenticationMethod":"Password","succeeded":true,"authenticationStepRequirement":"Primary authentication"}],"status":{"errorCode":0}`
	fresh        = `"authenticationRequirement":"multiFactorAuthentication","authenticationDetails":[{"authenticationMethod":"Authenticator App","succeeded":true,"authenticationStepRequirement":"Multifactor authentication"}],"status":{"errorCode":0}`
	byClaim      = `"authenticationRequirement":"multiFactorAuthentication","status":{"errorCode":0,"additionalDetails":"MFA requirement satisfied by claim in the token"}`
	stopped      = `"authenticationRequirement":"multiFactorAuthentication","status":{"errorCode":50076}`
	wrong        = `"authenticationRequirement":"singleFactorAuthentication","status":{"errorCode":50126}`
)

// row adds one sign-in; more are further members.
func (l *log) row(at time.Time, user, more string) *log {
	n := len(l.rows)
	base := fmt.Sprintf(`"id":"r%05d","createdDateTime":%q,"userId":%q,"userPrincipalName":"%s@contoso.com"`, n, at.Format(time.RFC3339), user, user)
	for _, d := range [][2]string{{`"correlationId"`, fmt.Sprintf(`"c%05d"`, n)}, {`"appId"`, `"app-1"`}, {`"appDisplayName"`, `"Billing Sync"`}, {`"clientAppUsed"`, `"Mobile Apps and Desktop clients"`}, {`"ipAddress"`, `"203.0.113.7"`}, {`"isInteractive"`, "false"}} {
		if !strings.Contains(more, d[0]) {
			base += "," + d[0] + ":" + d[1]
		}
	}
	l.rows = append(l.rows, "{"+base+","+more+"}")
	return l
}

// every adds n rows, one each step from start on.
func (l *log) every(start time.Time, step time.Duration, n int, user, more string) *log {
	for i := range n {
		l.row(start.Add(time.Duration(i)*step), user, more)
	}
	return l
}

// result reads the rows, shared out over the folds that split makes.
func (l *log) result(limit, parts int, order func(int) int) Result {
	l.t.Helper()
	seen := NewFold(l.f.Directory, limit)
	first := fold.New(fold.Options{Visit: seen.Visitor})
	folds := []*fold.Fold{first}
	for range parts - 1 {
		folds = append(folds, first.Fork())
	}
	for i, r := range l.rows {
		var e signin.Event
		if _, err := read.DecodeEvent([]byte(r), &e); err != nil {
			l.t.Fatalf("%s: %v", r, err)
		}
		folds[order(i)].Add(&e, signin.SourceRef{Seq: 1, Source: evidence.Source{Path: "signins.jsonl", Line: i + 1}})
	}
	l.f.Seen[evidence.SignIn] = len(l.rows)
	for _, o := range folds[1:] {
		first.Merge(o)
	}
	sum, err := first.Finish(context.Background(), nil)
	if err != nil {
		l.t.Fatal(err)
	}
	l.f.SignIns = &sum
	return Items(seen, l.f)
}

func (l *log) items() Result { l.t.Helper(); return l.result(0, 1, func(int) int { return 0 }) }

func TestWhatCounts(t *testing.T) {
	t.Parallel()
	const (
		ropc   = `"authenticationProtocol":"ropc",`
		device = `"authenticationProtocol":"deviceCode",`
		cli    = `"appId":"04B07795-8ddb-461a-bbee-02f9e1bf7b46","appDisplayName":"Microsoft Azure CLI",`
		exo    = `"appId":"fb78d390-0c51-40cd-8e17-fdbfab77341b","appDisplayName":"EXO",`
		module = `"appId":"11111111-0000-4000-8000-000000000009","appDisplayName":"Contoso PowerShell Module",`
		python = `"userAgent":"python-requests/2.32.5",`
		shell  = `"userAgent":"Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1",`
		chrome = `"userAgent":"Mozilla/5.0 (Windows NT 10.0) Chrome/142.0",`
		office = `"userAgent":"Microsoft Office/16.0",`
		person = `"isInteractive":true,`
	)
	night, noon := day0.Add(2*time.Hour), day0.Add(12*time.Hour)
	office9 := func(l *log, user, more string) *log { // a person: workdays, varying hours and places
		for d := range 20 {
			at := day0.AddDate(0, 0, d)
			if w := at.Weekday(); w != time.Saturday && w != time.Sunday {
				l.row(at.Add(time.Duration(7+d*5%9)*time.Hour+time.Duration(d*13%60)*time.Minute), user, map[bool]string{false: fmt.Sprintf(`"ipAddress":"203.0.113.%d",`, d%4)}[strings.Contains(more, `"ipAddress"`)]+more)
			}
		}
		return l
	}
	for name, c := range map[string]struct {
		rows       func(*log) *log
		protocol   Protocol
		confidence Confidence // "" for no item
		why        string
	}{
		"one ROPC success is certain":       {func(l *log) *log { return l.row(noon, "ada", ropc+passwordOnly) }, ROPC, Certain, "a program holds the password"},
		"ROPC stopped at MFA is likely":     {func(l *log) *log { return l.row(noon, "ada", ropc+stopped) }, ROPC, Likely, "stopped where MFA was asked for"},
		"guesses at a password are no item": {func(l *log) *log { return l.every(noon, time.Minute, 50, "ada", ropc+wrong) }, "", "", ""},
		"guesses beside a success are counted": {func(l *log) *log {
			return l.every(noon, time.Minute, 3, "ada", ropc+wrong).row(noon, "ada", ropc+passwordOnly)
		}, ROPC, Certain, ""},
		"SMTP by a service account": {func(l *log) *log { return l.row(noon, "scanner", `"clientAppUsed":"Authenticated SMTP",`+passwordOnly) }, Legacy, Likely, "named like a service"},
		"SMTP by a person, once":    {func(l *log) *log { return l.row(noon, "ada", `"clientAppUsed":"Authenticated SMTP",`+passwordOnly) }, Legacy, Possible, "Authenticated SMTP"},
		"IMAP by a person, hourly": {func(l *log) *log {
			return l.every(night, time.Hour, 100, "ada", `"clientAppUsed":"IMAP4",`+passwordOnly)
		}, Legacy, Likely, "same minute of the hour"},
		"an old Outlook of a person": {func(l *log) *log { return office9(l, "ada", `"clientAppUsed":"Exchange Web Services",`+passwordOnly) }, "", "", ""},
		"EWS around the clock": {func(l *log) *log {
			return l.every(night, 37*time.Minute, 600, "ada", `"clientAppUsed":"Exchange Web Services",`+passwordOnly)
		}, Legacy, Likely, "around the clock"},
		"Azure CLI by a person with MFA":                {func(l *log) *log { return office9(l, "ada", cli+person+fresh) }, "", "", ""},
		"Azure CLI by a person whose claim is carried":  {func(l *log) *log { return office9(l, "ada", cli+person+byClaim) }, "", "", ""},
		"Azure CLI by a person without MFA":             {func(l *log) *log { return office9(l, "ada", cli+person+passwordOnly) }, Tool, Possible, "command line of Microsoft"},
		"Azure CLI each night":                          {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", cli+byClaim) }, Tool, Likely, "at the same time of day"},
		"Azure CLI each night under a service account":  {func(l *log) *log { return l.every(night, 24*time.Hour, 6, "svc-deploy", cli+byClaim) }, Tool, Likely, "named like a service"},
		"Azure CLI by a person at home, with MFA":       {func(l *log) *log { return office9(l, "ada", `"ipAddress":"198.51.100.1",`+cli+person+fresh) }, "", "", ""},
		"Azure CLI by a person who walks away at times": {func(l *log) *log { return office9(l, "ada", cli+person+fresh).row(noon, "ada", cli+person+stopped) }, "", "", ""},
		"Azure CLI of a script that is stopped":         {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", cli+stopped) }, Tool, Likely, "same time of day"},
		"a prompt that was answered is half a sign-in": {func(l *log) *log {
			l.row(noon, "ada", cli+person+`"correlationId":"one",`+stopped)
			return l.row(noon.Add(time.Minute), "ada", cli+person+`"correlationId":"one",`+fresh)
		}, "", "", ""},
		"Exchange PowerShell by id":             {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", exo+passwordOnly) }, Tool, Likely, ""},
		"a module known by its name":            {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", module+passwordOnly) }, Tool, Likely, ""},
		"device code kept alive":                {func(l *log) *log { return l.every(night, time.Hour, 200, "ada", device+byClaim) }, DeviceCode, Likely, "device code flow"},
		"device code by a person, with MFA":     {func(l *log) *log { return l.row(noon, "ada", device+person+fresh) }, "", "", ""},
		"device code by a person, without":      {func(l *log) *log { return l.row(noon, "ada", device+person+passwordOnly) }, DeviceCode, Possible, ""},
		"a program by its user agent":           {func(l *log) *log { return l.every(night, 24*time.Hour, 8, "ada", python+byClaim) }, Program, Likely, "by its user agent"},
		"a program, once":                       {func(l *log) *log { return l.row(noon, "ada", python+passwordOnly) }, Program, Possible, ""},
		"PowerShell in a Mozilla user agent":    {func(l *log) *log { return l.every(night, 24*time.Hour, 8, "ada", shell+passwordOnly) }, Program, Likely, ""},
		"a browser of a person without MFA":     {func(l *log) *log { return office9(l, "ada", chrome+person+passwordOnly) }, "", "", ""},
		"Office of a person, refreshing":        {func(l *log) *log { return office9(l, "ada", office+byClaim) }, "", "", ""},
		"a service account without MFA":         {func(l *log) *log { return l.row(noon, "svc-billing", person+passwordOnly) }, Other, Likely, "without MFA being asked for"},
		"a service account with MFA":            {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "svc-billing", byClaim) }, "", "", ""},
		"a person's account, patterned, no MFA": {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", passwordOnly) }, Other, Possible, "at the same time of day"},
		"the same from a phone": {func(l *log) *log {
			return l.every(night, 24*time.Hour, 20, "ada", `"deviceDetail":{"operatingSystem":"Ios 17"},`+passwordOnly)
		}, "", "", ""},
		"nobody is named": {func(l *log) *log {
			l.rows = append(l.rows, `{"id":"x","createdDateTime":"2026-10-05T00:00:00Z","appId":"a",`+ropc+passwordOnly+`}`)
			return l
		}, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := c.rows(newLog(t)).items()
			if c.confidence == "" {
				if len(r.Items) != 0 {
					t.Fatalf("%+v", r.Items)
				}
				return
			}
			if len(r.Items) != 1 {
				t.Fatalf("%d items: %+v", len(r.Items), r.Items)
			}
			it := r.Items[0]
			if it.Protocol != c.protocol || it.Confidence != c.confidence || !strings.Contains(strings.Join(it.Why, "; "), c.why) || it.Advice == "" || len(it.Why) == 0 {
				t.Errorf("%s %s %q", it.Protocol, it.Confidence, it.Why)
			}
			if it.State != Found || it.ID != ID(it.Account, it.App, it.Protocol, it.Client) || len(it.Evidence.Examples) == 0 || it.Evidence.Examples[0].Source.Line == 0 {
				t.Errorf("%+v", it)
			}
		})
	}
}

// The directory decides what kind of account it is, and who is left out.
func TestAccounts(t *testing.T) {
	t.Parallel()
	const ropc = `"authenticationProtocol":"ropc",` + passwordOnly
	r := newLog(t).
		add(evidence.User, `{"id":"sync","userPrincipalName":"Sync_X@contoso.com","displayName":"On-Premises Directory Synchronization Service Account","accountEnabled":true}`,
			`{"id":"role","userPrincipalName":"dirsync@contoso.com","displayName":"D","accountEnabled":true}`,
			`{"id":"off","userPrincipalName":"off@contoso.com","displayName":"Off","accountEnabled":false}`,
			`{"id":"named","userPrincipalName":"x1@contoso.com","displayName":"Invoice Service Account","accountEnabled":true}`).
		add(evidence.RoleAssignment, `{"id":"a","principalId":"role","roleDefinitionId":"d29b2b05-8046-44ba-8758-1e26182fcf32"}`).
		row(day0, "sync", strings.Replace(ropc, `"authenticationProtocol"`, `"userPrincipalName":"Sync_X@contoso.com","authenticationProtocol"`, 1)).
		row(day0, "role", ropc).row(day0, "off", ropc).row(day0, "named", passwordOnly).items()
	var got []string
	for _, it := range r.Items {
		got = append(got, it.Account+" "+string(it.Protocol))
	}
	slices.Sort(got)
	// Anybody can be named like the synchronisation account; its role decides.
	if d := cmp.Diff([]string{"named other", "off ropc", "sync ropc"}, got); d != "" {
		t.Error(d)
	}
}

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
			pick(`"authenticationProtocol":"ropc",`, `"authenticationProtocol":"deviceCode",`, "", `"userAgent":"curl/8",`, `"clientAppUsed":"IMAP4",`, `"clientAppUsed":"SMTP",`)+
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
			list = append(list, signin.Sighting{ID: fmt.Sprint(i), UserID: u, UserPrincipalName: u + "@x", AppID: fmt.Sprint("a", r.IntN(4)), AppDisplayName: fmt.Sprint("n", r.IntN(3)), IPAddress: fmt.Sprint("10.0.0.", r.IntN(14)),
				Verdict: []signin.Verdict{signin.NotChallenged, signin.Failed, signin.Challenged, signin.Interrupted}[r.IntN(4)], Reason: signin.ReasonPromptAbandoned, Success: true, ROPC: r.IntN(2) == 0, Legacy: r.IntN(3) == 0, ClientAppUsed: "IMAP4",
				Interactive: signin.Tri(r.IntN(3)), Program: []string{"", "curl/8", "python-requests/2", "a", "b", "c"}[r.IntN(6)], At: day0.Add(time.Duration(r.IntN(600*24)) * time.Hour)})
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
		v.See(&signin.Sighting{ID: fmt.Sprint(i), UserID: fmt.Sprint("u", i%5000), AppID: "a", ROPC: true, Success: true, Verdict: signin.NotChallenged, IPAddress: fmt.Sprint("10.0.", i/250, ".", i%250),
			Program: fmt.Sprint("curl/", i), At: day0.Add(time.Duration(i) * time.Hour)})
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
	if r := both(newLog(t), 0, 1, 2).row(day(1), "eve", `"authenticationProtocol":"ropc",`+passwordOnly).row(day(1), "bob", `"authenticationProtocol":"ropc",`+passwordOnly).result(1, 1, func(int) int { return 0 }); r.Beyond != 1 || len(r.Covered) != 0 {
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
		s := signin.Sighting{UserID: user, UserPrincipalName: upn, AppID: app, AppDisplayName: name, ClientAppUsed: client, IPAddress: ip, Program: program, At: time.Unix(sec%(1<<38), 0),
			Verdict: signin.Verdict(verdict % 7), Success: flags&1 != 0, ROPC: flags&2 != 0, Legacy: flags&4 != 0, DeviceCode: flags&8 != 0, Interactive: signin.Tri(flags >> 4 % 3)}
		x := facts.New()
		seen := NewFold(x.Directory, 2)
		for range 6 {
			seen.Visitor().See(&s)
		}
		r := Items(seen, x)
		for _, it := range r.Items {
			if it.Evidence.SignIns+it.Evidence.Stopped == 0 || it.Evidence.SignIns+it.Evidence.Stopped+it.Evidence.Failed > 6 || it.Confidence == "" || len(it.Why) == 0 {
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
