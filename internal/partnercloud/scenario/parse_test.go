package scenario

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// small is a scenario that is right, with holes to put wrong things into.
const small = `name: small
partner:
  name: Small
  domains: [small.example]
  licence: p1
people:
  - upn: ann@small.example
    name: Ann Bell
    roles: [Global Administrator]
    methods: [totp]
customers:
  - name: Kite
    domain: kite.example
    users: 3
`

func TestSmall(t *testing.T) {
	t.Parallel()
	w, err := Build(load(t, []byte(small)), Options{Clock: still(), Customers: 4})
	if err != nil {
		t.Fatal(err)
	}
	w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if p.Users.Len() != 1 || p.Customers.Len() != 4 || p.GroupByName(world.AdminAgents) == nil || s.Tenant("kite.onmicrosoft.com") == nil {
			t.Errorf("%d users, %d customers", p.Users.Len(), p.Customers.Len())
		}
		if !p.HasRole(p.UserByName("ann@small.example").ID, start, entra.RoleGlobalAdministrator) {
			t.Error("Ann lacks her role")
		}
	})
}

// TestTrial finds the licence of a trial that ran out, which is worth nothing.
func TestTrial(t *testing.T) {
	t.Parallel()
	w, err := Build(load(t, []byte(strings.Replace(small, "licence: p1", "licence: p1\n  trial: p2", 1))), Options{Clock: still()})
	if err != nil {
		t.Fatal(err)
	}
	w.Read(func(s *world.State) {
		p := s.PartnerTenant()
		if len(p.SKUs) != 2 || p.SKUs[1].Status != "Suspended" || p.SKUs[1].Part != world.PlanP2 {
			t.Errorf("licences: %+v", p.SKUs)
		}
		if p.HasPlan(world.PlanP2) || !p.HasPlan(world.PlanP1) {
			t.Error("the trial counts")
		}
	})
}

func TestRefused(t *testing.T) {
	t.Parallel()
	with := func(old, new string) string {
		if !strings.Contains(small, old) {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(small, old, new, 1)
	}
	bomb := "name: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "empty"},
		{"only a comment", "# nothing\n", "empty"},
		{"not UTF-8", "name: \xff\xfe", "not UTF-8"},
		{"too large", strings.Repeat("#", maxText+1), "at most"},
		{"unknown key", with("users: 3", "userz: 3"), `:14: unknown field "userz"`},
		{"unknown key at the top", small + "nonsense: 1\n", `:15: unknown field "nonsense"`},
		{"wrong type", with("users: 3", "users: many"), ":14: a text stands where a number is expected"},
		{"list for a word", with("name: Small", "name: [a]"), "my.yaml:3: "},
		{"word for a list", with("people:\n", "people: yes\nx:\n"), ":6: "},
		{"key twice", with("licence: p1", "licence: p1\n  licence: p2"), `:6: `},
		{"two documents", small + "---\nname: b\n", "second document"},
		{"aliases", bomb, "anchors, aliases"},
		{"merge key", with("    users: 3", "    <<: {users: 4}"), "anchors, aliases"},
		{"tag", with("users: 3", "users: !!int 3"), "anchors, aliases"},
		{"brackets without end", "name: " + strings.Repeat("[", 4000), "nested too deep"},
		{"brackets over lines", "name: " + strings.Repeat("[\n", 100_000), "nested too deep"},
		{"dashes", "name: " + strings.Repeat("- ", 100_000), "nested too deep"},
		{"steps", func() string {
			var b strings.Builder
			for i := range 2000 {
				b.WriteString(strings.Repeat(" ", i) + "a:\n")
			}
			return b.String()
		}(), "nested too deep"},
		{"unknown role", with("Global Administrator", "Emperor"), `:9: no role is called "Emperor"`},
		{"unknown method", with("[totp]", "[totp, telepathy]"), `:10: no method is called "telepathy"`},
		{"foreign domain", with("ann@small.example", "ann@large.example"), `:7: "ann@large.example" is no account`},
		{"person twice", with("customers:", "  - {upn: ANN@small.example, name: Ann}\ncustomers:"), `:11: the person "ANN@small.example" is there twice`},
		{"domain twice", with("kite.example", "small.example"), `:13: small.example is there twice: it is also on line 4`},
		{"no domain", with("kite.example", "kite"), `:13: "kite" is no domain`},
		{"licence", with("p1", "p9"), `:5: "p9" is not known here: write one of free, p1, p2`},
		{"trial", with("licence: p1", "licence: p1\n  trial: free"), `:6: "free" is not known here: write one of p2`},
		{"unknown member", small + "groups:\n  - {name: G, members: [bob]}\n", `nobody is called "bob"`},
		{"unknown group", with("    methods: [totp]", "    groups: [G]"), `no group is called "G"`},
		{"unknown location", with("  licence: p1", "  policies: [{name: P, users: [All], grant: [mfa], exceptLocations: [Moon]}]"),
			`no location is called "Moon"`},
		{"unknown app in a policy", with("  licence: p1", "  policies: [{name: P, users: [All], apps: [Solitaire], grant: [mfa]}]"),
			`no app is called "Solitaire"`},
		{"policy for nobody", with("  licence: p1", "  policies: [{name: P, grant: [mfa]}]"), `takes nobody`},
		{"policy without a demand", with("  licence: p1", "  policies: [{name: P, users: [All]}]"), `demands nothing`},
		{"raw and short", with("  licence: p1", "  policies: [{name: P, raw: {displayName: P, state: enabled}}]"), `both raw and short`},
		{"raw nonsense", with("  licence: p1", "  policies: [{raw: {displayName: P, state: on}}]"), `is no state`},
		{"defaults beside a policy", with("  licence: p1", "  securityDefaults: true\n  policies: [{name: P, users: [All], grant: [mfa]}]"),
			`exclude each other`},
		{"moment", with("    methods: [totp]", "    created: yesterday"), `:10: "yesterday" is no moment`},
		{"clock", small + "clock: {start: -3d}\n", "at a distance from itself"},
		{"bad id", with("  licence: p1", "  id: 1234"), `"1234" is no id`},
		{"GDAP roles", with("    users: 3", "    gdap: [{name: R, roles: [Directory Readers], groups: {AdminAgents: [Global Reader]}}]"), "does not hold"},
		{"GDAP group", with("    users: 3", "    gdap: [{name: R, roles: [Directory Readers], groups: {Nobody: [Directory Readers]}}]"),
			`no group is called "Nobody"`},
		{"GDAP auto-extends Global Administrator", with("    users: 3", "    gdap: [{name: R, autoExtend: P180D, roles: [Global Administrator]}]"),
			"never extends itself"},
		{"GDAP duration", with("    users: 3", "    gdap: [{name: R, for: long, roles: [Directory Readers]}]"), "no duration"},
		{"alert", with("    users: 3", "    alerts: [{type: Earthquake, azure: A}]"), "no alert type"},
		{"alert without a subscription", with("    users: 3", "    alerts: [{type: CryptoMining, azure: A}]"), "no Azure subscription"},
		{"consent", with("    users: 3", "    consented: [Nothing]"), `no app is called "Nothing"`},
		{"reseller", with("    users: 3", "    reseller: Nobody"), `no reseller is called "Nobody"`},
		{"customer's user count", with("users: 3", "users: 1000000"), "too small or too large"},
		{"negative", with("users: 3", "users: -3"), "too small or too large"},
		{"customers", small + "generate: {customers: 2001}\n", "too small or too large"},
		{"users", small + "generate: {users: 100001}\n", "too small or too large"},
		{"share", small + "generate: {azure: 1.5}\n", "no share"},
		{"not a number", small + "generate: {azure: .nan}\n", "no share"},
		{"shares", small + "generate: {dapOnly: .6, both: .6}\n", "more than 1"},
		{"enforcement", small + "enforcement: {api: {ramp: -1d, enforced: -2d}}\n", "before its ramp"},
		{"certificate", small + "apps: [{name: A, certificates: [hello]}]\n", "not one PEM certificate"},
		{"permission", small + "apps: [{name: A, requires: [{resource: Microsoft Graph, scopes: [World.Rule]}]}]\n", `no delegated permission "World.Rule"`},
		{"resource", small + "apps: [{name: A, requires: [{resource: Skynet}]}]\n", `no resource is called "Skynet"`},
		{"redirect", small + "apps: [{name: A, web: [nowhere]}]\n", "no redirect URI"},
		{"site", small + "sites: [{name: S, network: everywhere}]\n", "no network"},
		{"habit", with("    methods: [totp]", "    habit: {works: 2}"), "no share"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := ParseFile("my.yaml", []byte(c.text))
			if err == nil {
				t.Fatal("taken")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %.300q, want %q", err, c.want)
			}
			if !errors.Is(err, problem.BadInput) && !errors.Is(err, problem.Limit) || problem.HintOf(err) == "" {
				t.Errorf("kind or hint: %#v", err)
			}
			if !strings.HasPrefix(err.Error(), "my.yaml") || len(err.Error()) > 8000 {
				t.Errorf("%.200q", err)
			}
			if d := time.Since(began); d > 20*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

// TestManyFaults shows at most twenty, in the order of the lines.
func TestManyFaults(t *testing.T) {
	t.Parallel()
	text := small + "groups:\n"
	for i := range 40 {
		text += fmt.Sprintf("  - {name: G%d, members: [nobody%d]}\n", i, i)
	}
	_, err := Parse([]byte(text))
	if err == nil {
		t.Fatal("taken")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxErrors+1 || lines[maxErrors] != "and 20 more" {
		t.Errorf("%d lines, the last is %q", len(lines), lines[len(lines)-1])
	}
	if !regexp.MustCompile(`^scenario:16: .*"nobody0"`).MatchString(lines[0]) {
		t.Errorf("first: %s", lines[0])
	}
}

// TestAttach throws the makers away and hangs new ones from the spec.
func TestAttach(t *testing.T) {
	t.Parallel()
	sc := load(t, Default())
	o := Options{Customers: 30, Days: 5, Clock: still()}
	w, err := Build(sc, o)
	if err != nil {
		t.Fatal(err)
	}
	read := func() (out string) {
		w.Read(func(s *world.State) {
			p := s.PartnerTenant()
			for r := range s.Newest(p, s.History.First(), s.Created) {
				out += r.ID
			}
			for c := range p.Customers.All() {
				if s.Tenant(c.Domain) == nil {
					t.Errorf("%s is lost", c.Domain)
				}
			}
		})
		return out
	}
	before := read()
	w.Read(func(s *world.State) { s.History, s.Make = nil, nil })
	if err := Attach(w, sc.Spec(o, start)); err != nil {
		t.Fatal(err)
	}
	if after := read(); before != after || before == "" {
		t.Errorf("%d before, %d after", len(before), len(after))
	}
	o.Seed = 99
	if err := Attach(w, sc.Spec(o, start)); err == nil {
		t.Error("attached a scenario of another seed")
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	sc := load(t, Default())
	for _, o := range []Options{{Customers: maxCustomers + 1}, {Users: maxUsers + 1}, {Days: maxHistory + 1}} {
		if _, err := Build(sc, o); !errors.Is(err, problem.Usage) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	w := build(t, Options{Days: -1})
	w.Read(func(s *world.State) {
		if s.History != nil {
			t.Error("a history of no days")
		}
	})
	text := strings.Replace(string(Default()), "# clock: {start: 2026-11-20T06:00:00Z, frozen: true}", "clock: {start: 2021-05-01T06:00:00Z, frozen: true}", 1)
	w, err := Build(load(t, []byte(text)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Clock.Now(); got.Format(time.RFC3339) != "2021-05-01T06:00:00Z" || !w.Clock.Frozen() {
		t.Errorf("the clock says %v", got)
	}
}

func TestEnforcement(t *testing.T) {
	t.Parallel()
	text := string(Default()) + "\nenforcement:\n  api: {reported: -30d, ramp: -10d, enforced: +10d, firstShare: .2}\nexceptions:\n  - {vendor: " +
		"Keywarden, from: 2020-03-01}\n"
	w, err := Build(load(t, []byte(text)), Options{Clock: still()})
	if err != nil {
		t.Fatal(err)
	}
	w.Read(func(s *world.State) {
		e := s.Enforcement
		if st := e.API.Stage(start); st != world.StageRamping {
			t.Errorf("the API is %s", st)
		}
		if sh := e.API.Share(start); sh < .59 || sh > .61 {
			t.Errorf("share %v", sh)
		}
		if e.AOBO.Stage(start) != world.StageEnforced || len(e.Exceptions) != 1 {
			t.Errorf("%+v", e)
		}
	})
}

func TestLocate(t *testing.T) {
	t.Parallel()
	sc := load(t, Default())
	for ip, want := range map[string]string{"203.0.113.9": "Dublin", "192.0.2.70": "Munich", "192.0.2.200": "Osaka", "198.51.100.200": "Curitiba",
		"198.18.8.1": "Cork", "::ffff:192.0.2.70": "Munich", "8.8.8.8": "", "127.0.0.1": ""} {
		if got := sc.Locate(netip.MustParseAddr(ip)).City; got != want {
			t.Errorf("%s lies in %q, want %q", ip, got, want)
		}
	}
}

// FuzzParse feeds anything; what is taken must build.
func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	f.Add(Default())
	f.Add([]byte("name: [&a *a]"))
	f.Add([]byte("a: {b: [c: d"))
	f.Add([]byte("? - - ? x\n: |2\n  y"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 64<<10 {
			return
		}
		sc, err := Parse(text)
		if err != nil {
			if problem.HintOf(err) == "" {
				t.Errorf("no hint: %v", err)
			}
			return
		}
		w, err := Build(sc, Options{Clock: still(), Customers: min(40, max(1, len(sc.Customers))), Users: 20, Days: 2})
		if err != nil {
			return
		}
		w.Read(func(s *world.State) {
			p := s.PartnerTenant()
			s.Engine(p)
			for c := range p.Customers.All() {
				s.Tenant(c.TenantID)
			}
			s.History.SignIns(s, p, start.AddDate(0, 0, -1))
			s.History.Requests(s, p, start.AddDate(0, 0, -1))
		})
	})
}
