package people

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/lenient"
	"partnerguard/internal/signin"
)

// Input is what the rows of a tenant are made of.
type Input struct {
	Tenant   string
	Partner  bool      // it is the partner's own: the contract is about its accounts
	At       time.Time // judged as of
	Facts    *facts.Facts
	Engine   *access.Engine // nil: the settings are not known
	Accounts []Account      // as they were judged
	Log      *Log           // its rows as they were read; nil: nobody looked
	// Stale says, in a sentence, that the settings are too old to prove anything; ""
	// where they are not.
	Stale string
	// Hours are how old each list may be; nil knows none.
	Hours func(evidence.Kind) int
}

// Account is an account as it was judged.
type Account struct {
	ID, UPN, Name string
	Class         string // as package directory has it
	InScope       bool
	Admin         bool
	Roles         []string
	Factor        string
	Verdict       string
	Reason        string
	Ways          []directory.WayOut
	Exception     string
}

// builder holds what the rows of one part share.
type builder struct {
	Input
	part   *Part
	regs   map[string]*directory.Registration // by user principal name
	logs   map[string]*signin.Account         // by key, and by user principal name
	roles  map[string][]directory.HeldRole
	daily  map[string][]int32 // by user of the rolled up days
	proofs proofs
	ages   *facts.Ages
	logAll bool // the log was read whole
}

// Build makes the rows. It is pure, and changes nothing that it is given.
func Build(in Input) Part {
	f := in.Facts
	part := Part{Tenant: strings.ToLower(in.Tenant), At: in.At.UTC(), Rows: make([]Row, 0, len(in.Accounts)), Whole: f.Whole(evidence.User)}
	b := &builder{Input: in, part: &part, regs: map[string]*directory.Registration{}, logs: map[string]*signin.Account{}, ages: f.Ages(),
		logAll: f.SignIns != nil && f.Whole(evidence.SignIn)}
	for _, r := range f.Directory.Registrations {
		if r.UserPrincipalName != "" {
			b.regs[strings.ToLower(r.UserPrincipalName)] = r
		}
	}
	if f.SignIns != nil {
		for i := range f.SignIns.Accounts {
			s := &f.SignIns.Accounts[i]
			if upn := strings.ToLower(s.UserPrincipalName); upn != "" {
				b.logs[upn] = s
			}
		}
		for i := range f.SignIns.Accounts {
			if s := &f.SignIns.Accounts[i]; s.Key != "" {
				b.logs[s.Key] = s
			}
		}
	}
	b.roles, _ = f.Directory.RolesByPrincipal()
	b.days()
	b.prove()
	for i := range in.Accounts {
		part.Rows = append(part.Rows, b.row(&in.Accounts[i]))
	}
	slices.SortStableFunc(part.Rows, func(x, y Row) int { return worst(&x, &y) })
	part.Facts = b.facts()
	if o := f.Directory.Organizations; len(o) > 0 {
		part.Name = o[0].DisplayName
	}
	if !part.Whole {
		part.Lacks = evidence.Brief(b.lack(evidence.User))
	}
	return part
}

// worst orders rows, the worst first.
func worst(a, b *Row) int {
	return cmp.Or(b.Weight-a.Weight, cmp.Compare(b.Unasked, a.Unasked), strings.Compare(a.UPN, b.UPN), strings.Compare(a.ID, b.ID))
}

// lack is the request that settles what is missing of a list.
func (b *builder) lack(k evidence.Kind) string {
	if cuts := b.Facts.Cuts(k); len(cuts) > 0 && cuts[0].Settle() != "" {
		return cuts[0].Settle()
	}
	return evidence.RequestFor(k)
}

func (b *builder) row(a *Account) Row {
	r := Row{Tenant: b.part.Tenant, ID: a.ID, UPN: a.UPN, Name: a.Name, InScope: a.InScope, Roles: a.Roles, Factor: a.Factor, Verdict: a.Verdict,
		Reason: a.Reason, Exception: a.Exception, Enabled: Unknown, RolesRead: No, Registered: Unknown}
	key := strings.ToLower(a.ID)
	u := b.Facts.Directory.Users[key]
	if u != nil && !u.Derived {
		r.source("account", u.Source, b.at(evidence.User))
		switch {
		case u.AccountEnabled.True():
			r.Enabled = Yes
		case u.AccountEnabled.False():
			r.Enabled = No
		}
	}
	if b.Facts.RolesKnown() && !b.Facts.RolesPartly() {
		r.RolesRead = Yes
	}
	r.Class = b.class(a, u)
	b.factor(&r, key)
	b.cover(&r, a)
	b.log(&r, key)
	for _, w := range a.Ways {
		r.Ways = append(r.Ways, Way{w.ID, directory.WayWord(w.ID), w.Text})
	}
	if r.Weight = r.weigh(); b.Partner {
		r.Weight += 5 // of accounts that are as bad, the partner's own come before customers'
	}
	return r
}

func (r *Row) source(what string, s evidence.Source, at time.Time) {
	if where := s.String(); where != "" {
		r.Sources = append(r.Sources, Source{what, where, at})
	}
}

// at dates a list; zero where nothing does.
func (b *builder) at(k evidence.Kind) time.Time {
	d, _ := b.ages.Of(k)
	return d.Bound()
}

// classes are the words for those of package directory.
var classes = map[directory.Class]string{
	directory.ClassDirectorySync: "sync", directory.ClassAgent: "agent", directory.ClassResource: "room", directory.ClassGuest: "guest",
	directory.ClassBreakGlass: "break-glass", directory.ClassService: "service", directory.ClassShared: "shared", directory.ClassMember: "member",
}

// class is what kind of account it is, also of one that is disabled.
func (b *builder) class(a *Account, u *directory.User) string {
	c := directory.Class(a.Class)
	if c == directory.ClassDisabled && u != nil {
		enabled := *u
		enabled.AccountEnabled = lenient.Bool{Set: true, Value: true}
		c = directory.Classify(&enabled, directory.Signs{Roles: b.roles[strings.ToLower(a.ID)], RolesPartly: b.Facts.RolesPartly()})
	}
	if a.Admin && (c == directory.ClassMember || c == directory.ClassUnknown) {
		return "admin"
	}
	return cmp.Or(classes[c], Unknown)
}

// factor is what it could answer with.
func (b *builder) factor(r *Row, key string) {
	reg := b.Facts.Directory.Registrations[key]
	if reg == nil {
		reg = b.regs[strings.ToLower(r.UPN)]
	}
	if reg == nil {
		r.Factor = Unknown // whatever was made of it: nobody read what it registered
		return
	}
	r.Methods = slices.Clone(reg.MethodsRegistered)
	switch {
	case reg.IsMFARegistered.True():
		r.Registered = Yes
	case reg.IsMFARegistered.False():
		r.Registered = No
	}
	at := reg.LastUpdated.Time
	if !reg.LastUpdated.Set {
		at = b.at(evidence.RegistrationDetails)
	}
	r.source("registration", reg.Source, at)
}

// weigh says how bad it is: what falls short, what is open, and who it is.
func (r *Row) weigh() int {
	w := map[string]int{"not_met": 4000, "unknown": 3000, "attested": 2000, "met": 2000}[r.Verdict]
	w += map[string]int{Open: 300, Unknown: 200}[r.Proof]
	if r.Log == SeenUnasked {
		w += 50
	}
	if r.Class == "admin" || len(r.Roles) > 0 {
		w += 20
	}
	if r.Enabled == No {
		w -= 1000
	}
	return w
}

// shown are the lists whose age the page says, and what each is called.
var shown = []struct {
	kind evidence.Kind
	what string
}{
	{evidence.User, "Accounts"}, {evidence.RegistrationDetails, "Registration"}, {evidence.RoleAssignment, "Roles"},
	{evidence.ConditionalAccessPolicy, "Policies"}, {evidence.SignIn, "Sign-ins"},
}

func (b *builder) facts() (out []Fact) {
	for _, s := range shown {
		f := Fact{What: s.what, At: b.at(s.kind), Gaps: len(b.Facts.Cuts(s.kind)), Rests: s.kind != evidence.RoleAssignment}
		if b.Facts.Extent(s.kind) == evidence.Absent {
			f.At = time.Time{}
		}
		if b.Hours != nil {
			f.Hours = b.Hours(s.kind)
		}
		f.Source = evidence.RequestFor(s.kind)
		out = append(out, f)
	}
	return out
}
