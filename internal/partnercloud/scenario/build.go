package scenario

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partner"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// Options outrank what the scenario says. Zero values leave it to the scenario,
// negative ones mean none.
type Options struct {
	Seed      uint64       `json:"seed"`
	Customers int          `json:"customers"` // in all, the named ones included
	Users     int          `json:"users"`     // of the partner in all, the named ones included
	Days      int          `json:"days"`      // of generated history
	Clock     *world.Clock `json:"-"`         // nil: the machine's, from the scenario's start
}

// Spec is all that is needed to make the generated part of a world again. It
// goes into a saved world beside the state.
type Spec struct {
	Scenario string    `json:"scenario"` // the scenario's text
	Options  Options   `json:"options"`
	Created  time.Time `json:"created"` // State.Created
}

// Spec describes a world that was built at a moment (State.Created) with these
// options.
func (sc *Scenario) Spec(o Options, created time.Time) Spec {
	return Spec{Scenario: string(sc.text), Options: o, Created: created}
}

// Build makes the world of a scenario. Customers' tenants and the history are
// made when they are asked for; the same scenario, options and moment always
// give the same world.
func Build(sc *Scenario, o Options) (*world.World, error) {
	r, err := resolve(sc, o)
	if err != nil {
		return nil, err
	}
	clock := o.Clock
	if clock == nil {
		clock = world.NewClock(nil)
		if start, ok := sc.Clock.Start.at(time.Time{}); ok && !start.IsZero() {
			clock.Restore(start.Sub(clock.Now()), time.Time{})
			if sc.Clock.Frozen {
				clock.Restore(0, start)
			}
		} else if sc.Clock.Frozen {
			clock.Freeze()
		}
	}
	w := world.New(r.Seed, clock)
	err = w.Do(func(s *world.State) error {
		s.Created = s.Created.UTC().Truncate(time.Second)
		b := newBuilder(sc, r, s)
		b.populate()
		s.Replication, _ = distance(sc.Replication)
		b.hang()
		return nil
	})
	return w, err
}

// Attach hangs the makers of customers' tenants and of the history on a world
// that was loaded.
func Attach(w *world.World, spec Spec) error {
	sc, err := ParseFile("saved scenario", []byte(spec.Scenario))
	if err != nil {
		return err
	}
	r, err := resolve(sc, spec.Options)
	if err != nil {
		return err
	}
	return w.Do(func(s *world.State) error {
		if s.Seed != r.Seed {
			return problem.New(problem.BadInput, "the saved state has another seed than its scenario").WithHint("start a new state directory")
		}
		s.Created = spec.Created
		newBuilder(sc, r, s).hang()
		return nil
	})
}

// resolve fills in what the options leave to the scenario.
func resolve(sc *Scenario, o Options) (Options, error) {
	pick := func(asked, said int) int {
		if asked < 0 {
			return 0
		}
		return cmp.Or(asked, said)
	}
	days := 30
	if sc.History != nil {
		days = *sc.History
	}
	r := Options{Seed: cmp.Or(o.Seed, sc.Seed, 1), Customers: pick(o.Customers, sc.Generate.Customers), Users: pick(o.Users, sc.Generate.Users),
		Days: pick(o.Days, days)}
	switch {
	case r.Customers > maxCustomers:
		return r, problem.New(problem.Usage, "%d customers are too many", r.Customers).WithHint("%d at most", maxCustomers)
	case r.Users > maxUsers:
		return r, problem.New(problem.Usage, "%d users are too many", r.Users).WithHint("%d at most", maxUsers)
	case r.Days > maxHistory:
		return r, problem.New(problem.Usage, "%d days of history are too many", r.Days).WithHint("%d at most", maxHistory)
	}
	return r, nil
}

// builder makes a state of a scenario: the live one, or the frozen one that the
// history is judged by.
type builder struct {
	sc      *Scenario
	o       Options
	state   *world.State
	created time.Time

	partnerID string
	customers []*Customer          // named, then generated
	byID      map[string]*Customer // by tenant id
	habits    map[string]*Habit    // of named accounts, by object id
	initial   map[string]string    // initial domains by tenant id
}

func newBuilder(sc *Scenario, o Options, s *world.State) *builder {
	b := &builder{sc: sc, o: o, state: s, created: s.Created, byID: map[string]*Customer{}, habits: map[string]*Habit{}}
	b.partnerID = strings.ToLower(cmp.Or(sc.Partner.ID, s.GUID("partner")))
	for i := range sc.Customers {
		b.customers = append(b.customers, &sc.Customers[i])
	}
	b.generateCustomers()
	taken := map[string]bool{}
	for _, d := range sc.Partner.Domains {
		taken[strings.ToLower(d)] = true
	}
	b.initial = make(map[string]string, len(b.customers))
	for _, k := range b.customers {
		taken[strings.ToLower(k.Domain)] = true
	}
	for _, k := range b.customers {
		id := b.customerID(k)
		b.byID[id] = k
		d := strings.ToLower(k.Domain)
		label, _, _ := strings.Cut(d, ".")
		if taken[label+"."+onMicrosoft] {
			label = strings.ReplaceAll(d, ".", "-")
		}
		if d = label + "." + onMicrosoft; !taken[d] {
			taken[d] = true
			b.initial[id] = d
		}
	}
	return b
}

// onMicrosoft is the suffix of an initial domain.
const onMicrosoft = "onmicrosoft.com"

// hang gives the state its makers.
func (b *builder) hang() {
	for _, k := range b.customers {
		id := b.customerID(k)
		b.state.Announce(id, b.domainsOf(k)...)
	}
	b.state.Make = func(_ *world.State, id string) *world.Tenant {
		if k := b.byID[id]; k != nil {
			return b.customerTenant(k)
		}
		return nil
	}
	b.state.Metered = func(tenant, subscription string) *world.AzureSubscription {
		k := b.byID[strings.ToLower(tenant)]
		if k == nil {
			return nil
		}
		for i := range k.Azure {
			if strings.EqualFold(b.azureID(k, &k.Azure[i]), subscription) {
				return b.metered(k, &k.Azure[i])
			}
		}
		return nil
	}
	if b.o.Days > 0 {
		h := &history{sc: b.sc, o: b.o, created: b.created}
		b.state.History, b.state.Live = h, h.live
	}
}

// populate makes everything but the customers' tenants.
func (b *builder) populate() {
	s, sc := b.state, b.sc
	s.Name, s.Partner = sc.Name, b.partnerID
	b.enforcement()
	for i := range sc.Providers {
		p := &sc.Providers[i]
		t := b.bare(b.tenantID(&p.Settings, p.Domain), p.Name, []string{p.Domain}, world.ProviderTenant, &p.Settings)
		b.settings(t, &p.Settings)
		b.apps(t, p.Apps)
		s.Put(t)
	}
	for i := range sc.Vendors {
		v := &sc.Vendors[i]
		t := b.bare(b.tenantID(&v.Settings, v.Domain), v.Name, []string{v.Domain}, world.PanelTenant, &v.Settings)
		b.people(t, v.People)
		b.groups(t, v.Groups, v.People)
		b.settings(t, &v.Settings)
		b.apps(t, v.Apps)
		b.licences(t, &v.Settings)
		s.Put(t)
	}
	p := &sc.Partner
	t := b.bare(b.partnerID, p.Name, p.Domains, world.PartnerTenant, &p.Settings)
	t.Cloud, t.PartnerKind, t.SecurityContact = partner.Cloud(cmp.Or(p.Cloud, string(partner.Public))),
		partner.Kind(cmp.Or(p.Kind, string(partner.DirectBill))), p.SecurityContact
	b.people(t, sc.People)
	more := b.generateUsers(t, b.o.Users-len(sc.People), sc.Generate.Unregistered)
	b.groups(t, sc.Groups, sc.People)
	b.sprinkle(t, more)
	b.settings(t, &p.Settings)
	b.apps(t, sc.Apps)
	b.keyVault(t)
	b.licences(t, &p.Settings)
	for i := range sc.Resellers {
		r := &sc.Resellers[i]
		t.Resellers = append(t.Resellers, world.Reseller{TenantID: b.resellerID(r.Name), Name: r.Name, MPN: r.MPN, Country: r.Country})
	}
	for _, k := range b.customers {
		b.record(t, k)
	}
	// Apps of vendors that the partner uses have a principal here too.
	for i := range sc.Vendors {
		for j := range sc.Vendors[i].Apps {
			if a := &sc.Vendors[i].Apps[j]; a.Panel {
				b.consent(t, a, b.tenantID(&sc.Vendors[i].Settings, sc.Vendors[i].Domain))
			}
		}
	}
	for i := range sc.Providers {
		for j := range sc.Providers[i].Apps {
			b.consent(t, &sc.Providers[i].Apps[j], b.tenantID(&sc.Providers[i].Settings, sc.Providers[i].Domain))
		}
	}
	b.lasts(t)
	s.Put(t)
}

func (b *builder) tenantID(s *Settings, domain string) string {
	return strings.ToLower(cmp.Or(s.ID, b.state.GUID("tenant/"+strings.ToLower(domain))))
}

func (b *builder) customerID(k *Customer) string { return b.tenantID(&k.Settings, k.Domain) }

// domainsOf are a customer's domains: its own and the initial one.
func (b *builder) domainsOf(k *Customer) []string {
	out := []string{strings.ToLower(k.Domain)}
	if d := b.initial[b.customerID(k)]; d != "" {
		out = append(out, d)
	}
	return out
}

func (b *builder) resellerID(name string) string {
	for i := range b.sc.Resellers {
		if r := &b.sc.Resellers[i]; strings.EqualFold(r.Name, name) {
			return strings.ToLower(cmp.Or(r.ID, b.state.GUID("reseller/"+strings.ToLower(r.Name))))
		}
	}
	return ""
}

func (b *builder) bare(id, name string, domains []string, kind world.Kind, s *Settings) *world.Tenant {
	return &world.Tenant{
		ID: id, Name: name, Domains: slices.Clone(domains), Kind: kind, Cloud: partner.Public, Country: cmp.Or(s.Country, b.sc.Partner.Country, "IE"),
		Created: s.Since.or(b.created, b.created.AddDate(-4, 0, 0)).Truncate(time.Second), About: s.About,
		SecurityDefaults: s.SecurityDefaults, AcceptsHomeMFA: s.AcceptsHomeMFA, BaselineScopes: strings.TrimPrefix(s.BaselineScopes, "enabled"),
	}
}

// licences gives a tenant its SKU and the users their part of it.
func (b *builder) licences(t *world.Tenant, s *Settings) {
	skus := licence(s.Licence, s.Seats, 0)
	used := 0
	licensed := make(map[string]bool)
	for u := range t.Users.All() {
		if u.Guest || !u.Enabled || b.habits[u.ID] != nil && (b.habits[u.ID].Kind == "device" || b.habits[u.ID].Kind == "sync" ||
			b.habits[u.ID].Kind == "drill") {
			continue
		}
		licensed[u.ID] = true
		used++
	}
	list := []string{skus[0].ID}
	for u := range t.Users.All() {
		if licensed[u.ID] {
			u.Licences = list // not yet published: the row is still the builder's
		}
	}
	t.SKUs = licence(s.Licence, s.Seats, used)
	if s.Trial != "" {
		t.SKUs = append(t.SKUs, trial())
	}
}

func (b *builder) enforcement() {
	e := &b.sc.Enforcement
	for _, x := range []struct {
		said *Activation
		to   *world.Activation
	}{{e.AOBO, &b.state.Enforcement.AOBO}, {e.Portal, &b.state.Enforcement.Portal}, {e.API, &b.state.Enforcement.API}} {
		if x.said == nil {
			continue
		}
		at := func(m Moment) time.Time { t, _ := m.at(b.created); return t }
		*x.to = world.Activation{Announced: at(x.said.Announced), Contract: at(x.said.Contract), Reported: at(x.said.Reported), Ramp: at(x.said.Ramp),
			Enforced: at(x.said.Enforced), FirstShare: float64(x.said.FirstShare)}
	}
	for _, x := range b.sc.Exceptions {
		from, _ := x.From.at(b.created)
		until, _ := x.Until.at(b.created)
		b.state.Enforcement.Exceptions = append(b.state.Enforcement.Exceptions, world.Exception{Tenant: b.partnerID, Vendor: x.Vendor, From: from,
			Until: until})
	}
}

// seedOf is a number for the dice of something, from the seed.
func (b *builder) seedOf(what string) uint64 { return seedOf(b.o.Seed, what) }

func seedOf(seed uint64, what string) uint64 {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, seed), what...))
	return binary.BigEndian.Uint64(sum[:])
}

// thumb is the fingerprint of a certificate, as logs show it.
func thumb(der []byte) string {
	sum := sha256.Sum256(der)
	return strings.ToUpper(hex.EncodeToString(sum[:20]))
}
