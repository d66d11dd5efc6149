package apppassword

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
)

const exchange = entra.AppExchange

// maxAge is how old settings, lists and rows may be to say what holds now, as for
// the rules that rest on them.
const maxAge = 30 * 24 * time.Hour

// decider holds what the accounts share.
type decider struct {
	Input
	f     *facts.Facts
	d     *directory.Directory
	ages  *facts.Ages
	seen  map[string]*seen // what the log shows, by account key
	roles map[string][]directory.HeldRole
	doors map[door]*cover
	// logLack says why the log cannot show that somebody signs in by none; "" it can.
	logLack string
}

// Decide answers for every account, or for the one that is asked about. It is pure:
// equal facts and rows give equal reports. Accounts is empty where Input.Account is
// nobody.
func Decide(in Input) *Report {
	b := &decider{Input: in, f: in.Facts, d: in.Facts.Directory, ages: in.Facts.Ages(), doors: map[door]*cover{}}
	var beyond int64
	b.seen, beyond = in.Log.all()
	b.logLack = b.shortLog(beyond)
	b.roles, _ = b.d.RolesByPrincipal()
	r := &Report{Schema: SchemaID, AsOf: in.AsOf.UTC(), Accounts: []Account{}, Inputs: b.f.Inputs, Known: known, Register: b.register(),
		Ends:  ends(in.Ends),
		Lacks: b.f.CutSentences(relied...), Whole: b.f.Whole(evidence.User)}
	if len(b.d.Organizations) > 0 {
		r.Partner = b.d.Organizations[0].DisplayName
	}
	r.Settings = b.settings()
	for _, u := range b.people() {
		if in.Account != "" && !strings.EqualFold(in.Account, u.ID) && !strings.EqualFold(in.Account, u.UserPrincipalName) {
			continue
		}
		a := b.account(u)
		r.Totals.count(&a)
		r.Accounts = append(r.Accounts, a)
	}
	order := map[Answer]int{Yes: 0, Unknown: 1, No: 2}
	slices.SortStableFunc(r.Accounts, func(x, y Account) int {
		return cmp.Or(cmp.Compare(order[x.Works], order[y.Works]), cmp.Compare(order[x.Depends], order[y.Depends]), strings.Compare(x.UPN, y.UPN),
			strings.Compare(x.ID, y.ID))
	})
	return r
}

// relied are the lists that an answer rests on.
var relied = []evidence.Kind{evidence.User, evidence.PerUserMFA, evidence.ConditionalAccessPolicy, evidence.SecurityDefaults, evidence.Group,
	evidence.NamedLocation, evidence.RegistrationDetails, evidence.SignIn, evidence.DirectoryAudit}

func (t *Totals) count(a *Account) {
	t.Accounts++
	switch a.Works {
	case Yes:
		t.Yes++
	case No:
		t.No++
	default:
		t.Unknown++
	}
	if a.Depends == Yes {
		t.Depend++
	}
	if a.Holds == Yes {
		t.Hold++
	}
}

// people are the accounts: those of the directory, of its registrations, and those
// that the log alone shows.
func (b *decider) people() (out []*directory.User) {
	for _, u := range b.d.Users {
		out = append(out, u)
	}
	for _, r := range b.d.Registrations {
		if b.d.FindUser(r.ID, r.UserPrincipalName) == "" {
			out = append(out, &directory.User{ID: r.ID, UserPrincipalName: r.UserPrincipalName, DisplayName: r.UserDisplayName, Source: r.Source,
				Derived: true})
		}
	}
	for key, s := range b.seen {
		if b.d.FindUser(key, s.name) == "" && b.d.Registrations[key] == nil && key != "" {
			u := &directory.User{UserPrincipalName: s.name, Derived: true}
			if !strings.Contains(key, "@") {
				u.ID = key
			}
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(x, y *directory.User) int {
		return cmp.Or(strings.Compare(x.UserPrincipalName, y.UserPrincipalName), strings.Compare(x.ID, y.ID))
	})
	return out
}

// account answers for one.
func (b *decider) account(u *directory.User) Account {
	key := directory.Key(u.ID, u.UserPrincipalName)
	a := Account{ID: u.ID, UPN: u.UserPrincipalName, Name: u.DisplayName, PerUser: b.d.PerUserMFAOf(u), Breaks: []string{}, Uses: []Use{}, Ways: []Way{},
		Class: directory.Classify(u, directory.Signs{Roles: b.roles[key], RolesPartly: b.f.RolesPartly()})}
	b.uses(&a, key)
	b.holds(&a, key)
	answer, why, settle := b.standing(&a, u)
	for i := range protocols {
		a.Paths = append(a.Paths, b.path(&protocols[i], &a, answer, why, settle))
	}
	b.sum(&a, answer, why, settle)
	b.depends(&a)
	a.Ways = waysOut(&a)
	return a
}

// standing says what the account itself decides: Yes leaves it to the protocols.
func (b *decider) standing(a *Account, u *directory.User) (answer Answer, why, settle string) {
	state := strings.ToLower(a.PerUser)
	switch {
	case u.AccountEnabled.False():
		answer, why = No, "the account is disabled: it signs in by no password"
	case state == "disabled":
		answer, why = No, "per-user MFA is disabled, and app passwords live only where it is enabled or enforced"
	case !u.AccountEnabled.Set:
		return Unknown, "whether the account is enabled is not in the export", evidence.RequestFor(evidence.User)
	case state == "":
		return Unknown, "its per-user MFA state is not in the export", fmt.Sprintf("GET /beta/users/%s/authentication/requirements (Policy.Read.All)",
			cmp.Or(u.ID, u.UserPrincipalName, "{id}"))
	case state != "enabled" && state != "enforced":
		return Unknown, fmt.Sprintf("its per-user MFA state %q is not one that is known", a.PerUser), evidence.RequestFor(evidence.PerUserMFA)
	default:
		answer = Yes
	}
	for _, k := range []evidence.Kind{evidence.User, evidence.PerUserMFA} {
		if old, ask := b.stale(k); old != "" {
			return Unknown, old, ask
		}
	}
	return answer, why, ""
}

// stale says that what was read of a kind is too old to say what holds now.
func (b *decider) stale(k evidence.Kind) (why, settle string) {
	d, read := b.ages.Of(k)
	if !read || d.Bound().IsZero() || b.AsOf.Sub(d.Bound()) <= maxAge {
		return "", ""
	}
	return fmt.Sprintf("the newest record of %s is %s old", evidence.ListName(k), facts.Days(b.AsOf.Sub(d.Bound()))), evidence.RequestFor(k)
}

// sum is the answer over all protocols.
func (b *decider) sum(a *Account, answer Answer, why, settle string) {
	a.Works, a.Why, a.Settle = answer, why, settle
	if answer == Yes {
		best := &a.Paths[0]
		rank := map[Answer]int{No: 0, Unknown: 1, Yes: 2}
		for i := range a.Paths {
			if p := &a.Paths[i]; rank[p.Works] > rank[best.Works] {
				best = p
			}
		}
		a.Works, a.Why, a.Settle = best.Works, best.Name+": "+best.Why, best.Settle
		if best.Works == No && len(best.Policies) > 0 {
			a.Why = best.Why
		}
	}
	if a.Works == No {
		return
	}
	for i := range a.Paths {
		p := &a.Paths[i]
		for _, name := range p.Report {
			if line := "the policy " + name + " is report-only, and stops it once it is switched on"; !slices.Contains(a.Breaks, line) {
				a.Breaks = append(a.Breaks, line)
			}
		}
		if p.ID == smtp && p.Works == a.Works {
			b.until(a)
		}
	}
	if len(a.Breaks) == 0 || a.Works == Yes {
		a.Breaks = append(a.Breaks, "a policy that blocks old clients, security defaults, or per-user MFA switched off for it")
	}
}

// until is the next day on which Microsoft ends SMTP AUTH by a password.
func (b *decider) until(a *Account) {
	for i := range b.Ends {
		o := &b.Ends[i]
		if (o.ID == endOff || o.ID == endRemoval) && o.DaysLeft >= 0 && !o.Date.IsZero() && o.Standing != "past" {
			day, left := o.Date.Time, o.DaysLeft
			a.Until, a.DaysLeft = &day, &left
			a.Breaks = append(a.Breaks, fmt.Sprintf("%s: %s", o.When(), o.What))
			return
		}
	}
}

// uses are the sign-ins of an account by old clients, the most first.
func (b *decider) uses(a *Account, key string) {
	s := b.seen[key]
	if s == nil {
		s = b.seen[strings.ToLower(a.UPN)]
	}
	if s == nil {
		return
	}
	for _, u := range s.uses {
		u.Protocol = protocolOf(u.Client)
		a.Uses = append(a.Uses, *u)
	}
	slices.SortFunc(a.Uses, func(x, y Use) int { return cmp.Or(cmp.Compare(y.Rows, x.Rows), strings.Compare(x.Client, y.Client)) })
}

// holds says whether one is registered.
func (b *decider) holds(a *Account, key string) {
	a.Holds, a.HoldsWhy = Unknown, "no export lists app passwords reliably; none was seen"
	reg := b.d.Registrations[key]
	if reg == nil {
		for _, r := range b.d.Registrations {
			if a.UPN != "" && strings.EqualFold(r.UserPrincipalName, a.UPN) {
				reg = r
			}
		}
	}
	if reg != nil && slices.ContainsFunc(reg.MethodsRegistered, func(m string) bool { return strings.EqualFold(m, "appPassword") }) {
		a.Holds, a.HoldsWhy = Yes, "the registration report names an app password"
		return
	}
	made, gone := 0, 0
	for _, act := range b.d.AppPasswordActs {
		switch {
		case !act.Done() || act.User == "" || act.User != strings.ToLower(a.ID):
		case act.Created:
			made++
		default:
			gone++
		}
	}
	switch {
	case made > gone:
		a.Holds, a.HoldsWhy = Yes, fmt.Sprintf("the audit log shows %d made and %d deleted", made, gone)
	case made+gone > 0:
		a.HoldsWhy = fmt.Sprintf("the audit log shows %d made and %d deleted; what was made before it begins is not known", made, gone)
	}
}

// depends says whether the account signs in by one.
func (b *decider) depends(a *Account) {
	var marked, rows int64
	for i := range a.Uses {
		marked += a.Uses[i].Marked
		rows += a.Uses[i].Rows
	}
	state := strings.ToLower(a.PerUser)
	if old, _ := b.stale(evidence.PerUserMFA); old != "" {
		state = ""
	}
	switch {
	case marked > 0:
		a.Depends, a.DependsWhy = Yes, fmt.Sprintf("%s of the log name an app password", count(marked, "sign-in", "sign-ins"))
	case rows > 0 && state == "enforced":
		a.Depends = Yes
		a.DependsWhy = fmt.Sprintf("%s by old clients without a second factor, and its own password opens none of them while per-user MFA is enforced",
			count(rows, "sign-in", "sign-ins"))
	case rows > 0 && state == "disabled":
		a.Depends, a.DependsWhy = No, fmt.Sprintf("%s by old clients are by its own password: per-user MFA is disabled", count(rows, "sign-in", "sign-ins"))
	case rows > 0:
		a.Depends = Unknown
		a.DependsWhy = fmt.Sprintf("%s by old clients may be by an app password or by its own", count(rows, "sign-in", "sign-ins"))
	case b.logLack != "":
		a.Depends, a.DependsWhy = Unknown, b.logLack
	default:
		a.Depends, a.DependsWhy = No, "no sign-in of it by an old client is in 30 days of the log"
	}
}

// shortLog says why the log cannot show that something does not happen.
func (b *decider) shortLog(beyond int64) string {
	s := b.f.SignIns
	switch {
	case b.Log == nil || s == nil || s.First.IsZero():
		return "no sign-in log is in the export"
	case !b.f.Whole(evidence.SignIn):
		return "the sign-in log was not read whole"
	case b.AsOf.Sub(s.Last) > maxAge:
		return "the sign-in log is " + facts.Days(b.AsOf.Sub(s.Last)) + " old"
	case s.Last.Sub(s.First) < 29*24*time.Hour:
		return fmt.Sprintf("a log of %s cannot show that nobody does it: 30 days are needed", facts.Days(s.Last.Sub(s.First)))
	case beyond > 0 || s.OtherAccounts.Rows > 0:
		return "the log holds more than is kept apart"
	}
	return ""
}

// find is the account's place in the engine.
func (b *decider) find(a *Account) (int, bool) {
	if b.Engine == nil {
		return 0, false
	}
	for _, name := range []string{a.ID, a.UPN} {
		if n, ok := b.Engine.Find(name); ok && name != "" && n < len(b.Engine.Tenant().Users) {
			return n, true
		}
	}
	return 0, false
}

func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// door is one way in as the engine decides it.
type door struct{ client, app string }

// cover is what the settings do at a door to all accounts.
type cover struct {
	accounts []access.Cover
	proof    *access.Proof
	missing  string
}

// at asks the engine once for all accounts.
func (b *decider) at(p *protocol) *cover {
	k := door{p.client, p.app}
	if c := b.doors[k]; c != nil {
		return c
	}
	c := &cover{}
	b.doors[k] = c
	q := access.Question{Name: "app-password", Title: "Is an app password stopped?", Require: access.RequireMFA, Clients: []string{p.client}}
	if p.app != "" {
		q.Apps = []string{p.app}
	}
	var err error
	if c.accounts, err = b.Engine.Coverage(q); err != nil {
		return c
	}
	if c.proof, err = b.Engine.Prove(q); err == nil && len(c.proof.Missing) > 0 {
		c.missing = c.proof.Missing[0]
	}
	return c
}
