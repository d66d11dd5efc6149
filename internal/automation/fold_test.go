package automation

import (
	"context"
	"fmt"
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
	for _, d := range [][2]string{{`"correlationId"`, fmt.Sprintf(`"c%05d"`, n)}, {`"appId"`, `"app-1"`}, {`"appDisplayName"`, `"Billing Sync"`},
		{`"clientAppUsed"`, `"Mobile Apps and Desktop clients"`}, {`"ipAddress"`, `"203.0.113.7"`}, {`"isInteractive"`, "false"}} {
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
				l.row(at.Add(time.Duration(7+d*5%9)*time.Hour+time.Duration(d*13%60)*time.Minute), user,
					map[bool]string{false: fmt.Sprintf(`"ipAddress":"203.0.113.%d",`, d%4)}[strings.Contains(more, `"ipAddress"`)]+more)
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
		"one ROPC success is certain": {func(l *log) *log { return l.row(noon, "ada", ropc+passwordOnly) }, ROPC, Certain,
			"a program holds the password"},
		"ROPC stopped at MFA is likely":     {func(l *log) *log { return l.row(noon, "ada", ropc+stopped) }, ROPC, Likely, "stopped where MFA was asked for"},
		"guesses at a password are no item": {func(l *log) *log { return l.every(noon, time.Minute, 50, "ada", ropc+wrong) }, "", "", ""},
		"guesses beside a success are counted": {func(l *log) *log {
			return l.every(noon, time.Minute, 3, "ada", ropc+wrong).row(noon, "ada", ropc+passwordOnly)
		}, ROPC, Certain, ""},
		"SMTP by a service account": {func(l *log) *log { return l.row(noon, "scanner", `"clientAppUsed":"Authenticated SMTP",`+passwordOnly) }, Legacy,
			Likely, "named like a service"},
		"SMTP by a person, once": {func(l *log) *log { return l.row(noon, "ada", `"clientAppUsed":"Authenticated SMTP",`+passwordOnly) }, Legacy, Possible,
			"Authenticated SMTP"},
		"IMAP by a person, hourly": {func(l *log) *log {
			return l.every(night, time.Hour, 100, "ada", `"clientAppUsed":"IMAP4",`+passwordOnly)
		}, Legacy, Likely, "same minute of the hour"},
		"an old Outlook of a person": {func(l *log) *log { return office9(l, "ada", `"clientAppUsed":"Exchange Web Services",`+passwordOnly) }, "", "", ""},
		"EWS around the clock": {func(l *log) *log {
			return l.every(night, 37*time.Minute, 600, "ada", `"clientAppUsed":"Exchange Web Services",`+passwordOnly)
		}, Legacy, Likely, "around the clock"},
		"Azure CLI by a person with MFA":               {func(l *log) *log { return office9(l, "ada", cli+person+fresh) }, "", "", ""},
		"Azure CLI by a person whose claim is carried": {func(l *log) *log { return office9(l, "ada", cli+person+byClaim) }, "", "", ""},
		"Azure CLI by a person without MFA": {func(l *log) *log { return office9(l, "ada", cli+person+passwordOnly) }, Tool, Possible,
			"command line of Microsoft"},
		"Azure CLI each night": {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", cli+byClaim) }, Tool, Likely,
			"at the same time of day"},
		"Azure CLI each night under a service account": {func(l *log) *log { return l.every(night, 24*time.Hour, 6, "svc-deploy", cli+byClaim) }, Tool,
			Likely, "named like a service"},
		"Azure CLI by a person at home, with MFA": {func(l *log) *log { return office9(l, "ada", `"ipAddress":"198.51.100.1",`+cli+person+fresh) }, "",
			"", ""},
		"Azure CLI by a person who walks away at times": {func(l *log) *log {
			return office9(l, "ada", cli+person+fresh).
				row(noon, "ada", cli+person+stopped)
		}, "", "", ""},
		"Azure CLI of a script that is stopped": {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", cli+stopped) }, Tool, Likely,
			"same time of day"},
		"a prompt that was answered is half a sign-in": {func(l *log) *log {
			l.row(noon, "ada", cli+person+`"correlationId":"one",`+stopped)
			return l.row(noon.Add(time.Minute), "ada", cli+person+`"correlationId":"one",`+fresh)
		}, "", "", ""},
		"Exchange PowerShell by id":  {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", exo+passwordOnly) }, Tool, Likely, ""},
		"a module known by its name": {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", module+passwordOnly) }, Tool, Likely, ""},
		"device code kept alive": {func(l *log) *log { return l.every(night, time.Hour, 200, "ada", device+byClaim) }, DeviceCode, Likely,
			"device code flow"},
		"device code by a person, with MFA": {func(l *log) *log { return l.row(noon, "ada", device+person+fresh) }, "", "", ""},
		"device code by a person, without":  {func(l *log) *log { return l.row(noon, "ada", device+person+passwordOnly) }, DeviceCode, Possible, ""},
		"a program by its user agent": {func(l *log) *log { return l.every(night, 24*time.Hour, 8, "ada", python+byClaim) }, Program, Likely,
			"by its user agent"},
		"a program, once":                    {func(l *log) *log { return l.row(noon, "ada", python+passwordOnly) }, Program, Possible, ""},
		"PowerShell in a Mozilla user agent": {func(l *log) *log { return l.every(night, 24*time.Hour, 8, "ada", shell+passwordOnly) }, Program, Likely, ""},
		"a browser of a person without MFA":  {func(l *log) *log { return office9(l, "ada", chrome+person+passwordOnly) }, "", "", ""},
		"Office of a person, refreshing":     {func(l *log) *log { return office9(l, "ada", office+byClaim) }, "", "", ""},
		"a service account without MFA": {func(l *log) *log { return l.row(noon, "svc-billing", person+passwordOnly) }, Other, Likely,
			"without MFA being asked for"},
		"a service account with MFA": {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "svc-billing", byClaim) }, "", "", ""},
		"a person's account, patterned, no MFA": {func(l *log) *log { return l.every(night, 24*time.Hour, 20, "ada", passwordOnly) }, Other, Possible,
			"at the same time of day"},
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
			if it.Protocol != c.protocol || it.Confidence != c.confidence || !strings.Contains(strings.Join(it.Why, "; "), c.why) || it.Advice == "" ||
				len(it.Why) == 0 {
				t.Errorf("%s %s %q", it.Protocol, it.Confidence, it.Why)
			}
			if it.State != Found || it.ID != ID(it.Account, it.App, it.Protocol, it.Client) || len(it.Evidence.Examples) == 0 ||
				it.Evidence.Examples[0].Source.Line == 0 {
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
