package facts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
)

// TestCutsFromLog: a log that applied a policy or let in a member that the
// export lacks says that the export is not whole, and nothing else does.
func TestCutsFromLog(t *testing.T) {
	t.Parallel()
	const known, other = "0a0a0a0a-d223-5c13-8934-e935a19927c8", "0c0c0c0c-d223-5c13-8934-e935a19927c8"
	on := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	var challenged, failed signin.Counts
	challenged[signin.Challenged], failed[signin.Failed] = 1, 5
	for name, c := range map[string]struct {
		applied  []signin.PolicySighting
		accounts []signin.Account
		unread   bool // neither users nor policies were read
		want     []string
	}{
		"what is there": {
			applied: []signin.PolicySighting{{ID: known, Name: "MFA", Last: on}},
			accounts: []signin.Account{{Key: "u1", UserID: "U1", UserType: "member", Verdicts: challenged},
				{Key: "u9", UserID: "u9", UserPrincipalName: "ADA@contoso.example", Verdicts: challenged}},
		},
		"a policy that is not": {applied: []signin.PolicySighting{{ID: other, Name: "Require MFA for everyone", Last: on}, {ID: "0d", Name: "x"}},
			want: []string{`conditionalAccessPolicy lacks the policy "Require MFA for everyone", which the sign-in log applied until 2026-11-20, and 1 more`}},
		"a member who is not": {accounts: []signin.Account{{Key: "u2", UserID: "u2", UserPrincipalName: "ben@contoso.example", UserType: "Member",
			Verdicts: challenged}},
			want: []string{"user lacks the account ben@contoso.example, which the sign-in log let in"}},
		"guests, technicians, strangers, guesses at a name": {accounts: []signin.Account{
			{Key: "g", UserID: "g", UserType: "guest", Verdicts: challenged},
			{Key: "e", UserID: "e", UserPrincipalName: "ada_fabrikam.example#EXT#@contoso.example", Verdicts: challenged},
			{Key: "t", UserID: "t", UserPrincipalName: "user_48d31887a5fad4be88f4a29f2a2f3a4b@contoso.example", UserType: "member", Verdicts: challenged},
			{Key: "nobody@contoso.example", UserPrincipalName: "nobody@contoso.example", Verdicts: challenged},
			{Key: "f", UserID: "f", UserType: "member", Verdicts: failed},
			{Verdicts: challenged},
		}},
		"lists that were not read": {unread: true, applied: []signin.PolicySighting{{ID: other}},
			accounts: []signin.Account{{Key: "u2", UserID: "u2", Verdicts: challenged}}},
	} {
		f := New()
		f.SignIns = &signin.Summary{Applied: c.applied, Accounts: c.accounts}
		if !c.unread {
			for kind, record := range map[evidence.Kind]string{
				evidence.User:                    `{"id":"u1","userPrincipalName":"ada@contoso.example"}`,
				evidence.ConditionalAccessPolicy: `{"id":"` + strings.ToUpper(known) + `","state":"enabled","conditions":{}}`,
			} {
				if err := f.Take(kind, []byte(record), evidence.Source{Path: "x"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		var got []string
		for _, cut := range f.CutsFromLog() {
			got = append(got, fmt.Sprint(cut.Kind, " ", cut.Why))
			if cut.Settle() == "" {
				t.Errorf("%s: no request settles %s", name, cut.Kind)
			}
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
	if New().CutsFromLog() != nil {
		t.Error("no log cuts a list")
	}
}

// TestDeletedSince: what the directory's audit log says was deleted after the log's last word of
// it is not lacking; anything less says nothing.
func TestDeletedSince(t *testing.T) {
	t.Parallel()
	on := time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)
	row := func(activity, at, result string) string {
		return `{"id":"` + activity + at + `","activityDateTime":"` + at + `","activityDisplayName":"` + activity + `","result":"` + result +
			`","targetResources":[{"id":"0C0C"}]}`
	}
	const policy, back, user = "Delete conditional access policy", "Restore conditional access policy", "Delete user"
	for name, c := range map[string]struct {
		rows []string
		want int
	}{
		"no audit log":        {nil, 2},
		"deleted":             {[]string{row(policy, "2026-11-21T00:00:00Z", "success")}, 0},
		"an account":          {[]string{row(user, "2026-11-21T00:00:00Z", "success")}, 0},
		"within the hour":     {[]string{row(policy, "2026-11-20T07:30:00Z", "success")}, 0},
		"deleted long before": {[]string{row(policy, "2026-11-20T06:30:00Z", "success")}, 2},
		"it failed":           {[]string{row(policy, "2026-11-21T00:00:00Z", "failure")}, 2},
		"it is not said":      {[]string{row(policy, "2026-11-21T00:00:00Z", "")}, 2},
		"without a time":      {[]string{row(policy, "", "success")}, 2},
		"another act":         {[]string{row("Update conditional access policy", "2026-11-21T00:00:00Z", "success")}, 2},
		"brought back":        {[]string{row(policy, "2026-11-21T00:00:00Z", "success"), row(back, "2026-11-22T00:00:00Z", "success")}, 2},
		"in the same second":  {[]string{row(policy, "2026-11-21T00:00:00Z", "success"), row(back, "2026-11-21T00:00:00Z", "success")}, 2},
		"the other way round": {[]string{row(back, "2026-11-21T00:00:00Z", "success"), row(policy, "2026-11-21T00:00:00Z", "success")}, 2},
		"brought back, then gone": {[]string{row(back, "2026-11-22T00:00:00Z", "success"), row("Hard d"+policy[1:], "2026-11-23T00:00:00Z", "success"),
			row(policy, "2026-11-21T00:00:00Z", "success")}, 0},
	} {
		f := New()
		var passed signin.Counts
		passed[signin.Challenged] = 1
		f.SignIns = &signin.Summary{Applied: []signin.PolicySighting{{ID: "0c0c", Last: on}},
			Accounts: []signin.Account{{Key: "0c0c", UserID: "0c0c", UserType: "member", Verdicts: passed, LastSignIn: on}}}
		f.Seen[evidence.User], f.Seen[evidence.ConditionalAccessPolicy] = 1, 1
		for _, raw := range c.rows {
			_ = f.Take(evidence.DirectoryAudit, []byte(raw), evidence.Source{Path: "x"})
		}
		if got := len(f.CutsFromLog()); got != c.want {
			t.Errorf("%s: %d lists lack something, want %d", name, got, c.want)
		}
	}
}

// TestDeletedAfterTheList: what was deleted only after a list was read was there then, and the list
// lacks it; what was made after it as well was not.
func TestDeletedAfterTheList(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Time { return time.Date(2026, 11, d, 8, 0, 0, 0, time.UTC) }
	row := func(activity string, d int) string {
		return `{"id":"` + activity + `","activityDateTime":"` + day(d).Format(time.RFC3339) + `","activityDisplayName":"` + activity +
			` conditional access policy","result":"success","targetResources":[{"id":"0c0c"}]}`
	}
	for name, c := range map[string]struct {
		list int
		rows []string
		want int
	}{
		"the list is younger":         {22, []string{row("Delete", 21)}, 0},
		"the list is older":           {18, []string{row("Delete", 21)}, 1},
		"made and deleted since":      {18, []string{row("Add", 19), row("Delete", 21)}, 0},
		"told backwards":              {18, []string{row("Delete", 21), row("Add", 19)}, 0},
		"made before, deleted since":  {18, []string{row("Add", 17), row("Delete", 21)}, 1},
		"nothing dates the list":      {0, []string{row("Delete", 21)}, 0},
		"made before, younger a list": {22, []string{row("Add", 17), row("Delete", 21)}, 0},
	} {
		f := New()
		f.SignIns = &signin.Summary{Applied: []signin.PolicySighting{{ID: "0c0c", Last: day(20)}}}
		in := evidence.Input{Path: "policies.json", Kinds: map[evidence.Kind]int{evidence.ConditionalAccessPolicy: 1}}
		if at := day(c.list); c.list > 0 {
			in.Times.Stated = &at
		}
		f.Inputs = append(f.Inputs, in)
		f.Seen[evidence.ConditionalAccessPolicy] = 1
		for _, raw := range c.rows {
			if err := f.Take(evidence.DirectoryAudit, []byte(raw), evidence.Source{Path: "x"}); err != nil {
				t.Fatal(err)
			}
		}
		if got := len(f.CutsFromLog()); got != c.want {
			t.Errorf("%s: %d lists lack something, want %d", name, got, c.want)
		}
	}
}

// TestCopiesInAnyOrder: which of two copies is read first decides nothing.
func TestCopiesInAnyOrder(t *testing.T) {
	t.Parallel()
	const ga, reader = "62e90394-69f5-4237-9190-012177145e10", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
	relationship := func(role, more string) string {
		return `{"id":"r","status":"active","accessDetails":{"unifiedRoles":[{"roleDefinitionId":"` + role + `"}]}` + more + `}`
	}
	adoption := func(f *Facts) (out string) {
		for _, a := range f.Adoption {
			out += fmt.Sprintf(" %d of %d", a.Compliant.Value, a.Total.Value)
		}
		return fmt.Sprint(len(f.Adoption), out)
	}
	alert := func(f *Facts) string {
		a := f.Alerts["a"]
		return fmt.Sprint(a.Status, a.Answered.Raw, a.Detected.Raw)
	}
	dap := func(f *Facts) string { c := f.Customers["c"]; return fmt.Sprint(c.AllowDelegatedAccess, c.Disputed) }
	roles := func(f *Facts) string {
		return strings.Join(append(f.Relationships["r"].AccessDetails.Roles(), string(f.Relationships["r"].Status)), " ")
	}
	score := func(f *Facts) string { return string(f.Requirements["x"].ComplianceStatus) }
	for name, c := range map[string]struct {
		kind evidence.Kind
		a, b string
		show func(*Facts) string
		want string
	}{
		"an alert before and after its answer": {evidence.SecurityAlert, `{"id":"a","status":"active","detectedDateTime":"2026-11-01T00:00:00Z"}`,
			`{"id":"a","status":"resolved","detectedDateTime":"2026-11-01T00:00:00Z","resolvedOnDateTime":"2026-11-02T00:00:00Z"}`, alert,
			"resolved2026-11-02T00:00:00Z2026-11-01T00:00:00Z"},
		"an answer without a clock": {evidence.SecurityAlert, `{"id":"a","status":"active","detectedDateTime":"2026-11-01T00:00:00Z"}`,
			`{"id":"a","status":"resolved","detectedDateTime":"2026-11-01T00:00:00Z"}`, alert, "resolved2026-11-01T00:00:00Z"},
		"two clocks of an answer": {evidence.SecurityAlert, `{"id":"a","status":"resolved","resolvedOnDateTime":"2026-11-03T00:00:00Z"}`,
			`{"id":"a","status":"resolved","resolvedOnDateTime":"2026-11-02T00:00:00Z"}`, alert, "resolved2026-11-02T00:00:00Z"},
		"a day exported before it was over": {evidence.MFAAdoption,
			`{"applicationId":"A","loginDate":"2026-11-26","mfaCompliantRequestCount":10,"totalRequestCount":10}`,
			`{"applicationId":"a","loginDate":"2026-11-26","mfaCompliantRequestCount":39,"totalRequestCount":100}`, adoption, "1 39 of 100"},
		"a day counted twice in two ways": {evidence.MFAAdoption,
			`{"applicationId":"a","loginDate":"2026-11-26","mfaCompliantRequestCount":10,"totalRequestCount":10}`,
			`{"applicationId":"a","loginDate":"2026-11-26","mfaCompliantRequestCount":9,"totalRequestCount":10}`, adoption, "1 9 of 10"},
		"roles, no date": {evidence.Relationship, relationship(ga, ""), relationship(ga, `,"displayName":"x"`), roles, ga + " active"},
		"roles, newer": {evidence.Relationship, relationship(ga, `,"lastModifiedDateTime":"2026-01-01T00:00:00Z"`),
			relationship(reader, `,"lastModifiedDateTime":"2026-02-01T00:00:00Z"`), roles, reader + " active"},
		"DAP, both ways": {evidence.Customer, `{"id":"c","allowDelegatedAccess":true}`, `{"id":"c","allowDelegatedAccess":false}`, dap,
			"{false false} true"},
		"DAP, of one alone": {evidence.Customer, `{"id":"c","allowDelegatedAccess":true}`, `{"id":"c"}`, dap, "{true true} false"},
		"score of one moment": {evidence.SecurityRequirement, `{"requirementType":"x","complianceStatus":"compliant"}`,
			`{"requirementType":"x","complianceStatus":"noncomplaint"}`, score, "noncomplaint"},
	} {
		for _, order := range [][]string{{c.a, c.b}, {c.b, c.a}, {c.a, c.b, c.a}} {
			f := New()
			for i, raw := range order {
				if err := f.Take(c.kind, []byte(raw), evidence.Source{Path: fmt.Sprint(i)}); err != nil {
					t.Fatal(err)
				}
			}
			if got := c.show(f); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
		}
	}
	// Where no date decides, the roles of both count.
	for _, order := range [][]string{{relationship(ga, ""), relationship(reader, "")}, {relationship(reader, ""), relationship(ga, "")}} {
		f := New()
		for _, raw := range order {
			_ = f.Take(evidence.Relationship, []byte(raw), evidence.Source{})
		}
		if got := f.Relationships["r"].AccessDetails.Roles(); len(got) != 2 {
			t.Errorf("roles %v, want both", got)
		}
	}
	// Days whose clock cannot be read are not one day.
	f := New()
	for i, n := range []string{"39", "100"} {
		_ = f.Take(evidence.MFAAdoption, []byte(`{"applicationId":"a","loginDate":"26. nov","mfaCompliantRequestCount":`+n+`,"totalRequestCount":100}`),
			evidence.Source{Path: "x", Index: i})
	}
	if len(f.Adoption) != 2 {
		t.Errorf("%d days kept, want 2", len(f.Adoption))
	}
}
