//go:build !judge

package inquiry_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/fraud/inquiry/inquirytest"
)

func has(t *testing.T, what string, list []inquiry.Reason, keys ...string) {
	t.Helper()
	for _, k := range keys {
		if !slices.ContainsFunc(list, func(r inquiry.Reason) bool { return r.Key == k || strings.HasPrefix(r.Key, k+":") }) {
			t.Errorf("%s lacks %s", what, k)
		}
	}
}

func keys(list []inquiry.Reason) string {
	var out []string
	for _, r := range list {
		out = append(out, r.Key)
	}
	return strings.Join(out, " ")
}

// The stolen administrator is told with each of its signs, and each rests on rows.
func TestAttack(t *testing.T) {
	t.Parallel()
	al := inquirytest.Alert()
	x := inquirytest.Fold(t, inquirytest.Attack(), inquiry.Options{Alert: al, Known: al.Detected, Reads: inquirytest.Whole()}, inquirytest.AsItIs)
	has(t, "for fraud", x.For, "newRight", "newCountry", "newRegion", "strongSize", "burst", "quota", "miningPool", "newActor", "cost", "overBudget", "noMFA")
	has(t, "not known", x.Unknown, "customer")
	for _, k := range []string{"usualRegion", "knownActor", "noIdentityChange", "mfaDone", "usualSize"} {
		if strings.Contains(keys(x.Against), k) {
			t.Errorf("%s speaks against: %s", k, keys(x.Against))
		}
	}
	for _, r := range x.For {
		if len(r.Rows) == 0 && r.Key != "miningPool" && r.Key != "cost" && r.Key != "overBudget" {
			t.Errorf("%s rests on no row: %s", r.Key, r.Text)
		}
		for _, id := range r.Rows {
			if !slices.ContainsFunc(x.Rows, func(w inquiry.Row) bool { return w.ID == id }) {
				t.Errorf("%s rests on %s, which is no row", r.Key, id)
			}
		}
	}
	for _, r := range x.Unknown {
		if r.Ask == "" {
			t.Errorf("nothing settles %s: %s", r.Key, r.Text)
		}
	}
	if x.Rows[0].At.After(inquirytest.Night) || !slices.ContainsFunc(x.Rows, func(r inquiry.Row) bool { return r.Weight == inquiry.Cause }) {
		t.Errorf("the timeline has no cause, or begins late: %+v", x.Rows[0])
	}
	machines := 0
	for _, r := range x.Rows {
		if r.SKU == "Standard_NC24ads_A100_v4" {
			machines += r.Count
			if r.Count != 4 || r.Places[0].Segment == "" || !strings.HasSuffix(r.Resource, "/resourceGroups/rg") {
				t.Errorf("machines of a region are not one row with its places: %+v", r)
			}
		}
	}
	if machines != 20 {
		t.Errorf("%d machines of 20", machines)
	}
	suspects := map[string]bool{}
	for _, a := range x.Actors {
		if a.Suspect {
			suspects[a.UPN] = true
		}
	}
	if !suspects["svc@fabrikam.example"] || !suspects["ada@fabrikam.example"] || len(suspects) != 2 {
		t.Errorf("suspects are %v", suspects)
	}
	if n := count(x.Things, inquiry.Made); n != 20 {
		t.Errorf("%d resources", n)
	}
	if count(x.Things, inquiry.Assignment) != 1 || count(x.Things, inquiry.Method) != 1 {
		t.Errorf("assignments %d, methods %d", count(x.Things, inquiry.Assignment), count(x.Things, inquiry.Method))
	}
}

func count(list []inquiry.Thing, k inquiry.ThingKind) (n int) {
	for _, x := range list {
		if x.Kind == k && x.Suspect {
			n++
		}
	}
	return n
}

// Ops who does what inquirytest.Ops always does is told as such, and nobody is made a suspect of more.
func TestDeployment(t *testing.T) {
	t.Parallel()
	al := inquirytest.Alert()
	al.Details, al.First, al.Detected = nil, inquirytest.Night.Add(9*3600e9), inquirytest.Night.Add(12*3600e9)
	x := inquirytest.Fold(t, inquirytest.Deployment(), inquiry.Options{Alert: al, Known: al.Detected, Reads: inquirytest.Whole()}, inquirytest.AsItIs)
	has(t, "against", x.Against, "knownActor", "knownAddress", "usualRegion", "usualSize", "usualKind", "mfaDone", "noIdentityChange", "noRisk")
	if len(x.For) > 0 {
		t.Errorf("for fraud: %+v", x.For)
	}
}

// What was not read is never taken for its absence.
func TestNotRead(t *testing.T) {
	t.Parallel()
	al := inquirytest.Alert()
	al.Details = nil
	reads := inquirytest.Whole()
	for i := range reads {
		reads[i].State, reads[i].Needs = inquiry.ReadRefused, "AuditLog.Read.All"
	}
	s := &inquirytest.Story{}
	s.Machine(inquirytest.Night, inquirytest.Svc, "svc@fabrikam.example", "203.0.113.9", "eastus", "Standard_D4s_v5", "m")
	x := inquirytest.Fold(t, s, inquiry.Options{Alert: al, Reads: reads}, inquirytest.AsItIs)
	if k := keys(x.Against); k != "" {
		t.Errorf("speaks against fraud though nothing was read: %s", k)
	}
	if k := keys(x.For); k != "" {
		t.Errorf("speaks for fraud though nothing was read: %s", k)
	}
	has(t, "not known", x.Unknown, "newRegion", "newType", "actor", "cost", "customer", "read")
	if n := strings.Count(keys(x.Unknown), "read:"); n != len(reads) {
		t.Errorf("%d of %d readings are told", n, len(reads))
	}
}

// The order in which records come, and copies of them, change nothing.
func TestOrder(t *testing.T) {
	t.Parallel()
	s := inquirytest.Attack()
	al := inquirytest.Alert()
	o := inquiry.Options{Alert: al, Known: al.Detected, Reads: inquirytest.Whole()}
	a := inquirytest.Fold(t, s, o, inquirytest.AsItIs)
	n := len(s.Records)
	s.Records = append(s.Records, s.Records...)
	b := inquirytest.Fold(t, s, o, func(i int) int { return len(s.Records) - 1 - i })
	for _, x := range []*inquiry.Timeline{a, b} {
		for i := range x.Rows {
			x.Rows[i].Places = nil
		}
		for i := range x.Costs {
			x.Costs[i].Place.Entry = 0
		}
	}
	x, _ := json.MarshalIndent(a, "", " ")
	y, _ := json.MarshalIndent(b, "", " ")
	if string(x) != string(y) {
		t.Errorf("%d records in another order give another timeline:\n%s", n, firstDiff(string(x), string(y)))
	}
}

func firstDiff(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return strings.Join(x[max(0, i-3):min(len(x), i+3)], "\n") + "\n---\n" + strings.Join(y[max(0, i-3):min(len(y), i+3)], "\n")
		}
	}
	return "one is longer"
}

// Phases of one act are one; failed ones say so.
func TestPhases(t *testing.T) {
	t.Parallel()
	s := &inquirytest.Story{}
	for _, status := range []string{"Started", "Accepted", "Succeeded"} {
		s.Machine(inquirytest.Night, inquirytest.Svc, "svc@x.example", "203.0.113.9", "eastus", "Standard_D4s_v5", "m")
		last := &s.Records[len(s.Records)-1]
		last.Raw = strings.ReplaceAll(strings.Replace(last.Raw, `"Succeeded"`, `"`+status+`"`, 1), `"correlationId":"c2"`, `"correlationId":"c1"`)
		last.Raw = strings.ReplaceAll(last.Raw, `"correlationId":"c3"`, `"correlationId":"c1"`)
	}
	x := inquirytest.Fold(t, s, inquiry.Options{Alert: inquirytest.Alert(), Reads: inquirytest.Whole()}, inquirytest.AsItIs)
	i := slices.IndexFunc(x.Rows, func(r inquiry.Row) bool { return r.Source == inquiry.Resources })
	if i < 0 || x.Rows[i].Count != 1 || x.Rows[i].Failed || len(x.Rows[i].Why) > 0 {
		t.Errorf("three rows of one act: %+v", x.Rows)
	}
}

// hostile are records that lie.
var hostile = []string{
	`{`, `[]`, `null`, `{}`, `"x"`, `{"eventTimestamp":"yesterday","operationName":7}`, `{"eventTimestamp":"2026-11-19T02:00:00Z"}`,
	`{"eventDataId":"x","eventTimestamp":"2026-11-19T02:00:00Z","operationName":"a/write","claims":[1],"authorization":"no","httpRequest":[],"identity":"{","properties":"{\"requestbody\":\"{\\\"location\\\":7}\"}"}`,
	`{"id":"x","activityDateTime":"2026-11-19T02:00:00Z","activityDisplayName":"Add member to role","initiatedBy":"{","targetResources":{"a":1}}`,
	`{"id":"x","activityDateTime":"2026-11-19T02:00:00Z","activityDisplayName":"Add member to role","targetResources":[null,7,{"modifiedProperties":"x"}]}`,
	`{"id":"/subscriptions/` + inquirytest.Sub + `/x","properties":{"createdOn":"x","principalId":{}}}`,
	`{"resourceId":"` + inquirytest.Customer + `","totalCost":1e308,"lastModifiedDate":"2026-11-19T02:00:00Z"}`,
}

// FuzzTake holds the fold to whatever comes: it does not fall, and what it says is bounded.
func FuzzTake(f *testing.F) {
	kinds := []evidence.Kind{evidence.AzureActivity, evidence.DirectoryAudit, evidence.SignIn, evidence.RiskyUser, evidence.RiskDetection,
		evidence.AzureRoleAssignment, evidence.AzureResource, evidence.CustomerUsage}
	for _, h := range hostile {
		for k := range kinds {
			f.Add(uint8(k), h)
		}
	}
	for _, r := range inquirytest.Attack().Records {
		f.Add(uint8(max(0, slices.Index(kinds, r.Kind))), r.Raw)
	}
	f.Fuzz(func(t *testing.T, kind uint8, raw string) {
		x := inquiry.NewFold(inquiry.Options{Alert: inquirytest.Alert(), Now: inquirytest.Night.Add(36 * 3600e9), Reads: inquirytest.Whole()})
		for range 2 {
			_ = x.Take(kinds[int(kind)%len(kinds)], []byte(raw), inquiry.Place{Tenant: inquirytest.Customer})
		}
		line := x.Timeline()
		for _, r := range line.Rows {
			if len(r.What) > 4000 || len(r.Resource) > 4000 || strings.ContainsAny(r.What+r.Who+r.Resource, "\x00\x1b\u202e") {
				t.Errorf("a row holds what no text has: %q", r.What)
			}
		}
		if _, err := json.Marshal(line); err != nil {
			t.Errorf("the timeline has no JSON: %v", err)
		}
	})
}
