package assess_test

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// dated says that everything of the kinds was exported at the moment.
func (x *tenant) dated(at time.Time, kinds ...evidence.Kind) *tenant {
	in := evidence.Input{Path: "export.json", Status: evidence.Read, Times: evidence.Times{Stated: &at}}
	for _, k := range kinds {
		in.Count(k, x.f.Seen[k])
	}
	x.f.Inputs = []evidence.Input{in}
	return x
}

// TestNoAlertFallsOut: the window of alerts ends with the export, so that
// judging later does not forget the late answer.
func TestNoAlertFallsOut(t *testing.T) {
	t.Parallel()
	const alert = `{"id":"a","alertType":"x","status":"resolved","detectedDateTime":"2026-10-20T00:00:00Z","resolvedOnDateTime":"2026-10-23T00:00:00Z"}`
	exported := time.Date(2026, 11, 18, 0, 0, 0, 0, time.UTC) // 29 days after it was detected
	for _, after := range []time.Duration{0, 2 * 24 * time.Hour, 6 * 24 * time.Hour} {
		r := newTenant(t).add(evidence.SecurityAlert, alert).dated(exported, evidence.SecurityAlert).report(assess.Options{AsOf: exported.Add(after)})
		if q := find(t, r, "security-alerts-answered"); q.Verdict != assess.NotMet {
			t.Errorf("%s after: %s: %s", after, q.Verdict, q.Reason)
		}
	}
	r := newTenant(t).add(evidence.SecurityAlert, alert).dated(exported, evidence.SecurityAlert).report(assess.Options{AsOf: exported.Add(8 * 24 * time.Hour)})
	q := find(t, r, "security-alerts-answered")
	if q.Verdict != assess.Unknown || !q.Age.Past || !strings.Contains(q.Reason, "it was not met then") || q.Affected != 0 {
		t.Errorf("8 days after: %s: %s", q.Verdict, q.Reason)
	}
}

// TestARelationshipMayHaveBeenExtended: what was to end after the export is not
// taken to have ended.
func TestARelationshipMayHaveBeenExtended(t *testing.T) {
	t.Parallel()
	const wide = `{"id":"r","displayName":"all","status":"active","endDateTime":"2026-11-25T00:00:00Z","customer":{"displayName":"Fabrikam"},` +
		`"accessDetails":{"unifiedRoles":[{"roleDefinitionId":"e8611ab8-c189-46e8-94e1-60213ab1f814"}]}}`
	exported := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	r := newTenant(t).add(evidence.Relationship, wide).dated(exported, evidence.Relationship).report(assess.Options{AsOf: exported.Add(7 * 24 * time.Hour)})
	if q := find(t, r, "gdap-least-privilege"); q.Verdict != assess.NotMet {
		t.Errorf("%s: %s", q.Verdict, q.Reason)
	}
}

// TestOneFreshThingSuffices: an old log does not take back what fresh settings
// show, and fresh settings do not make good what the old log shows.
func TestOneFreshThingSuffices(t *testing.T) {
	t.Parallel()
	old, fresh := now.Add(-90*24*time.Hour), now.Add(-time.Hour)
	judge := func(settings, log time.Time) assess.Requirement {
		x := newTenant(t).add(evidence.SecurityDefaults, `{"id":"x","displayName":"Security Defaults","isEnabled":false}`).
			add(evidence.User, `{"id":"u1","userPrincipalName":"u1@contoso.com","accountEnabled":true,"userType":"Member"}`).
			signIns(row("a", "u1", passwordOnly))
		x.f.Inputs = []evidence.Input{
			{Path: "export.json", Status: evidence.Read, Times: evidence.Times{Stated: &settings},
				Kinds: map[evidence.Kind]int{evidence.ConditionalAccessPolicy: 0, evidence.SecurityDefaults: 1, evidence.User: 1}},
			{Path: "signins.jsonl", Status: evidence.Read, Times: evidence.Times{Stated: &log}, Kinds: map[evidence.Kind]int{evidence.SignIn: 1}},
		}
		return find(t, x.report(assess.Options{}), "mfa-every-sign-in")
	}
	for name, c := range map[string]struct {
		settings, log time.Time
		want          assess.Verdict
	}{
		"both fresh": {fresh, fresh, assess.NotMet}, "old log": {fresh, old, assess.NotMet}, "old settings": {old, fresh, assess.NotMet},
		"both old": {old, old, assess.Unknown},
	} {
		if q := judge(c.settings, c.log); q.Verdict != c.want {
			t.Errorf("%s: %s: %s", name, q.Verdict, q.Reason)
		}
	}
}

func TestEveryRuleHasAnAge(t *testing.T) {
	t.Parallel()
	for _, r := range partner.Book() {
		if r.MaxAge.Hours <= 0 || len(r.MaxAge.Why) < 20 {
			t.Errorf("%s: %+v", r.ID, r.MaxAge)
		}
	}
}
