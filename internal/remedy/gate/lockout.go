package gate

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/access"
	"partnerguard/internal/entra"
	"partnerguard/internal/rehearse"
	"partnerguard/internal/remedy"
)

// wanted is how many ways in must be proved to remain.
const wanted = 2

// back are the apps by which settings are put back: Microsoft Graph and the portals.
var back = []string{entra.AppGraph, entra.AppAzurePortal, entra.AppARM}

// writers are the roles that may write policies back.
var writers = []string{entra.RoleGlobalAdministrator, entra.RoleConditionalAccessAdministrator, entra.RoleSecurityAdministrator}

// candidate is an account that might be a way in.
type candidate struct {
	at   int    // in the small tenant
	name string // as it is, without a role active
	id   string
	how  access.Entry // at the worst of the moves
	step int          // after which it fails
	ga   bool         // it surely holds Global Administrator now
	why  string       // why it is no way in, whatever the policies say
}

// lockOut follows each move that changes who gets in, and asks who still does.
func (l *look) lockOut() error {
	small, all := l.candidates()
	from := access.Compile(small)
	w := newWorld(small, l.moves, l.IDs)
	check := func(step int) {
		t := w.tenant()
		e := access.Compile(t)
		for i := range all {
			c := &all[i]
			if c.step != 0 || !c.how.In {
				continue
			}
			c.how = access.Kept(from, e, c.at, back)
			if !c.how.In {
				c.step = step
			}
			if u := &t.Users[c.at]; c.ga && !slices.Contains(u.Roles, entra.RoleGlobalAdministrator) {
				c.how, c.step = access.Entry{Why: "it no longer is Global Administrator"}, step
			}
		}
	}
	for i := range all {
		all[i].how = access.Kept(from, from, all[i].at, back)
	}
	for i := range l.moves {
		if err := w.apply(&l.moves[i]); err != nil {
			return err
		}
		if l.moves[i].Affects() {
			check(l.moves[i].Of)
		}
	}
	l.ways(small, all)
	l.actor(small, all, w.tenant())
	return nil
}

// candidates are the accounts that may be ways in, and the one that applies the plan, in a
// tenant of their own: it is compiled after every move.
func (l *look) candidates() (*access.Tenant, []candidate) {
	small := *l.Tenant
	small.Users = nil
	var all []candidate
	for i := range l.Tenant.Users {
		u := &l.Tenant.Users[i]
		ga := slices.Contains(u.Roles, entra.RoleGlobalAdministrator)
		if !ga && !l.isActor(u) || u.Unidentified || u.Anyone {
			continue
		}
		c := candidate{at: len(small.Users), name: nameOf(u), id: u.ID, ga: ga}
		p, known := l.People[strings.ToLower(u.ID)]
		switch {
		case !known || p.Enabled == rehearse.NotKnown:
			c.why = "whether it is enabled is not known"
		case p.Enabled == rehearse.KnownNo:
			c.why = "it is disabled"
		case p.Synced == rehearse.NotKnown:
			c.why = "whether it comes from another directory is not known"
		case p.Synced == rehearse.KnownYes:
			c.why = "it is synchronised from another directory, and goes with that"
		case outsider(u):
			c.why = "it is a guest, and signs in by a directory of others"
		case !u.BreakGlass && !u.MethodsKnown:
			c.why = "which methods it has registered is not known"
		case !u.BreakGlass && !u.Lasts():
			c.why = "it has no registered method that answers and lasts"
		}
		small.Users = append(small.Users, *u)
		all = append(all, c)
	}
	return &small, all
}

// outsider reports an account whose password and methods are another directory's, or may be.
func outsider(u *access.Subject) bool {
	inside := func(e access.External) bool { return e == access.Member || e == access.InternalGuest }
	return !inside(u.External) || slices.ContainsFunc(u.Kinds, func(e access.External) bool { return !inside(e) })
}

func (l *look) isActor(u *access.Subject) bool {
	return l.Actor != "" && (strings.EqualFold(u.ID, l.Actor) || strings.EqualFold(u.Name, l.Actor))
}

// ways tells who still gets in, and refuses where they are too few.
func (l *look) ways(small *access.Tenant, all []candidate) {
	var not []string
	step := 0
	for i := range all {
		c := &all[i]
		switch {
		case !c.ga:
		case len(l.Tenant.PoliciesLack) > 0:
			not = append(not, c.name+": there may be policies that were not read")
		case c.why != "":
			not = append(not, c.name+": "+c.why)
		case c.how.In:
			l.gate.Ways = append(l.gate.Ways, l.way(c, &small.Users[c.at]))
		default:
			words := c.how.Why
			if c.step > 0 {
				words = fmt.Sprintf("after step %d %s", c.step, words)
				if step == 0 || c.step < step {
					step = c.step
				}
			}
			not = append(not, c.name+": "+words)
		}
	}
	n := len(l.gate.Ways)
	if n >= wanted || !l.affects {
		return
	}
	text := "nobody is proved to get in as Global Administrator afterwards"
	if n == 1 {
		text = "only " + l.gate.Ways[0].Account + " is proved to get in as Global Administrator afterwards"
	}
	text += fmt.Sprintf(", and %d have to be", wanted)
	if len(not) > 0 {
		text += "; " + strings.Join(not[:min(4, len(not))], "; ")
		if more := len(not) - 4; more > 0 {
			text += fmt.Sprintf("; and %d more", more)
		}
	}
	f := remedy.Finding{Kind: remedy.LocksOut, Step: step, Text: text, WaysOut: []string{
		"keep two break-glass accounts that are Global Administrators: cloud-only, enabled, with two passkeys each that were registered and read",
		"leave them out of policies that ask for a device, a place or a method that they have not got"}}
	if len(l.Tenant.PoliciesLack) > 0 {
		f.Settles = request(l.Tenant.PoliciesLack[0])
	}
	l.add(f, "ways")
}

func (l *look) way(c *candidate, u *access.Subject) remedy.Way {
	w := remedy.Way{ID: c.id, Account: c.name, How: "by " + methodWords(c.how.How)}
	if c.how.How == "" {
		w.How = "by its password, past every policy"
		if u.Lasts() {
			w.How = "past every policy, with a registered method at hand"
		}
	}
	if p := l.People[strings.ToLower(c.id)]; !p.Seen.IsZero() {
		w.Tested = p.Seen.UTC().Format(time.DateOnly)
	}
	return w
}

// methodWords say a registered method as people do.
func methodWords(m string) string {
	switch strings.ToLower(m) {
	case "fido2securitykey", "fido2":
		return "a security key"
	case "passkeydevicebound", "passkeydeviceboundauthenticator", "passkeysynced":
		return "a passkey"
	case "windowshelloforbusiness":
		return "Windows Hello for Business"
	case "macossecureenclavekey":
		return "the key in its Mac"
	case "microsoftauthenticatorpasswordless", "microsoftauthenticatorpush":
		return "Microsoft Authenticator"
	case "softwareonetimepasscode", "hardwareonetimepasscode":
		return "one-time passcodes"
	case "externalauthmethod":
		return "External MFA"
	case "mobilephone", "alternatemobilephone", "officephone":
		return "its phone"
	}
	return m
}

// actor asks after the account that applies the plan: whether it still gets in, and may
// write back what it wrote.
func (l *look) actor(small *access.Tenant, all []candidate, end *access.Tenant) {
	if !l.affects {
		return
	}
	if id, is := strings.CutPrefix(l.Actor, "app:"); is {
		l.gate.Actor = &remedy.Way{ID: id, Account: "the application " + id, How: "by itself: policies for users do not take it"}
		return
	}
	i := slices.IndexFunc(all, func(c candidate) bool { return l.isActor(&small.Users[c.at]) })
	if i < 0 {
		what, hint := "who applies the plan is not known, so that whether they can take it back is not", "name the account: --actor UPN"
		if l.Actor != "" {
			what = fmt.Sprintf("the account that applies the plan, %.80q, is not among the accounts that were read", l.Actor)
			hint = "read the list of users, or name an account that is in it"
		}
		l.add(remedy.Finding{Kind: remedy.Unknown, Text: what, WaysOut: []string{hint}}, "actor")
		return
	}
	c := &all[i]
	u := &end.Users[c.at]
	f := remedy.Finding{Kind: remedy.LocksOut, Step: c.step, Subject: c.name, SubjectID: c.id,
		WaysOut: []string{"apply the plan by an account that it does not shut out", "or leave this account out of the step"}}
	switch {
	case c.why != "" && !strings.HasPrefix(c.why, "it is synchronised") && !outsider(&small.Users[c.at]):
		f.Text = "the account that applies the plan is not proved to get in afterwards: " + c.why
	case !c.how.In:
		f.Text = "the account that applies the plan would shut itself out: " + c.how.Why
	case !slices.ContainsFunc(writers, func(r string) bool { return slices.Contains(u.Roles, r) }):
		f.Text = "the account that applies the plan may not write policies back afterwards: it holds none of the roles for it at that moment"
	default:
		w := l.way(c, u)
		l.gate.Actor = &w
		return
	}
	l.add(f, "actor")
}
