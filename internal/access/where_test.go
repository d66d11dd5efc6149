package access

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"partnerguard/internal/problem"
)

// whereEngine has HQ and the Netherlands in use, and others beside them.
func whereEngine(t testing.TB) *Engine {
	t.Helper()
	tenant := &Tenant{Users: []Subject{{ID: "u", Name: "ada@contoso.com"}}}
	for _, raw := range []string{
		`{"id":"l-hq","displayName":"HQ","isTrusted":true,"ipRanges":[{"cidrAddress":"203.0.113.0/24"},{"cidrAddress":"2001:db8::/48"}]}`,
		`{"id":"l-lab","displayName":"Lab","ipRanges":[{"cidrAddress":"203.0.113.128/25"}]}`,
		`{"id":"l-desk","displayName":"Desk","ipRanges":[{"cidrAddress":"198.51.100.4"}]}`,
		`{"id":"l-nl","displayName":"Netherlands","countriesAndRegions":["NL"]}`,
		`{"id":"l-eu","displayName":"Lowlands","countriesAndRegions":["NL","BE"]}`,
		`{"id":"l-twin","displayName":"Twin","ipRanges":[{"cidrAddress":"192.0.2.1/32"}]}`,
		`{"id":"l-twin2","displayName":"twin","ipRanges":[{"cidrAddress":"192.0.2.2/32"}]}`,
		`{"id":"l-de","displayName":"DE","ipRanges":[{"cidrAddress":"192.0.2.9/32"}]}`,
		`{"id":"l-void","displayName":"Void","ipRanges":[{"cidrAddress":"nonsense"}]}`,
		`{"id":"l-bare","displayName":"Bare"}`,
	} {
		l := new(NamedLocation)
		if err := json.Unmarshal([]byte(raw), l); err != nil {
			t.Fatal(err)
		}
		tenant.Locations = append(tenant.Locations, l)
	}
	p := new(Policy)
	if err := json.Unmarshal([]byte(`{"id":"p","displayName":"p","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],
		"locations":{"includeLocations":["All"],"excludeLocations":["l-lab","l-nl"]}},"grantControls":{"operator":"OR","builtInControls":["mfa"]}}`),
		p); err != nil {
		t.Fatal(err)
	}
	tenant.Policies = []*Policy{p}
	return Compile(tenant)
}

func TestAt(t *testing.T) {
	t.Parallel()
	e := whereEngine(t)
	for words, want := range map[string]string{
		"203.0.113.200":       "203.0.113.200",
		"Lab":                 "203.0.113.128",
		" lab ":               "203.0.113.128",
		"L-LAB":               "203.0.113.128",
		"Desk":                "198.51.100.4",
		"l-twin2":             "192.0.2.2",
		"Netherlands":         "NL",
		"nl":                  "NL",
		"fr":                  "FR",
		"any other location":  "any other location",
		"Lab and Netherlands": "Lab and Netherlands",
		"l-de":                "192.0.2.9",
		// refused: what is said
		"l-hq":     "parts of the named location",
		"Lowlands": "parts of the named location",
		"Twin":     "2 named locations",
		"DE":       "is a country and the name",
		"Void":     "no range or country",
		"Bare":     "no range or country",
		"ZQ":       "no location",
		"Head":     "no location",
		"":         "no location",
	} {
		var s SignIn
		note, err := e.At(&s, words)
		got := s.Location + s.Country
		if s.IP.IsValid() {
			got += s.IP.String()
		}
		if err != nil {
			got = err.Error()
			if !errors.Is(err, problem.BadInput) || problem.HintOf(err) == "" || s.IP.IsValid() || s.Country+s.Location != "" {
				t.Errorf("%q: %v (%s) %+v", words, err, problem.HintOf(err), s)
			}
		}
		if note != "" {
			t.Errorf("%q: %s", words, note)
		}
		if err == nil && got != want || err != nil && !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", words, got, want)
		}
	}
	if hint := hintAt(e, "l-hq"); !strings.Contains(hint, "203.0.113.0") || !strings.Contains(hint, "203.0.113.128") {
		t.Errorf("the parts of HQ: %s", hint)
	}
	if hint := hintAt(e, "Head"); !strings.Contains(hint, "HQ") || !strings.Contains(hint, "Netherlands") {
		t.Errorf("what there is: %s", hint)
	}
}

// A place by its name is decided as its address is.
func TestAtDecides(t *testing.T) {
	t.Parallel()
	e := whereEngine(t)
	outcome := func(words string) Outcome {
		s := SignIn{User: 0, Client: "browser", App: "00000003-0000-0000-c000-000000000000", Platform: "windows"}
		if _, err := e.At(&s, words); err != nil {
			t.Fatal(err)
		}
		return e.Decide(s).Outcome
	}
	if outcome("Lab") != outcome("203.0.113.129") || outcome("Desk") != outcome("198.51.100.4") || outcome("Lab") == outcome("Desk") {
		t.Errorf("Lab %v, Desk %v", outcome("Lab"), outcome("Desk"))
	}
}

// hintAt is what a refusal offers.
func hintAt(e *Engine, words string) string {
	_, err := e.At(&SignIn{}, words)
	return problem.HintOf(err)
}

// The commands of a proof name a place by its label, also when a named location
// of that name reaches further.
func TestAtPart(t *testing.T) {
	t.Parallel()
	tenant := *whereEngine(t).tenant
	on := *tenant.Policies[0]
	on.Conditions.Locations.Items = []LocationCondition{{IncludeLocations: []string{"All"}, ExcludeLocations: []string{"l-hq", "l-lab"}}}
	tenant.Policies = []*Policy{&on}
	var s SignIn
	if note, err := Compile(&tenant).At(&s, "HQ"); err != nil || s.Location != "HQ" || !strings.Contains(note, "parts of HQ") {
		t.Errorf("%+v %q %v", s, note, err)
	}
}

func FuzzAt(f *testing.F) {
	for _, s := range []string{"HQ", "nl", "203.0.113.7", "::ffff:1.2.3.4", "fe80::1%eth0", "ǅ", "\xff\xff", ""} {
		f.Add(s)
	}
	e := whereEngine(f)
	f.Fuzz(func(t *testing.T, words string) {
		var s SignIn
		if _, err := e.At(&s, words); err == nil {
			s.Client = "browser"
			_ = e.Decide(s)
		}
	})
}
