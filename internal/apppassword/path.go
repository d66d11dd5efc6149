package apppassword

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/access"
	"partnerguard/internal/evidence"
)

// The changes that end SMTP AUTH by a password.
const (
	endOff     = "smtp-auth-basic"
	endRemoval = "smtp-auth-removal"
)

// smtpSwitch is where the switch of SMTP AUTH is read, for the tenant and a mailbox.
const smtpSwitch = "Exchange Online PowerShell: Get-TransportConfig | Format-List SmtpClientAuthenticationDisabled; " +
	"Get-CASMailbox {account} | Format-List SmtpClientAuthenticationDisabled"

// path answers for one protocol of an account, given what the account itself decides.
func (b *decider) path(p *protocol, a *Account, base Answer, why, settle string) Path {
	out := Path{ID: p.id, Name: p.name, Works: base, Why: why, Settle: settle, Policies: []string{}, Report: []string{}}
	n, known := b.find(a)
	if known && base != No {
		out.Report = b.reportOnly(p, n)
	}
	switch {
	case base == No:
		return out
	case p.gone != "":
		out.Works, out.Why, out.Settle = No, p.gone, ""
		return out
	case base != Yes:
		return out
	case !known:
		out.Works, out.Why, out.Settle = Unknown, "the account is not among the users that were read", evidence.RequestFor(evidence.User)
		return out
	}
	for _, k := range []evidence.Kind{evidence.ConditionalAccessPolicy, evidence.SecurityDefaults} {
		if old, ask := b.stale(k); old != "" {
			out.Works, out.Why, out.Settle = Unknown, old, ask
			return out
		}
	}
	b.settle(&out, p, a, n)
	return out
}

// settle asks the settings, and where they let it in what else decides.
func (b *decider) settle(out *Path, p *protocol, a *Account, n int) {
	c := b.at(p)
	is := access.Uncertain
	if n < len(c.accounts) {
		is = c.accounts[n]
	}
	s := access.SignIn{User: n, Client: p.client, App: p.app}
	switch is {
	case access.Covered:
		out.Works = No
		out.Policies = stopping(b.Engine.Decide(s).Applied)
		out.Why = "the settings stop old clients: " + list(out.Policies)
	case access.Open:
		b.open(out, p, a, n)
	default:
		answer := b.Engine.Decide(s)
		out.Works, out.Why = Unknown, "whether the settings stop old clients for it is not known"
		out.Policies = stopping(answer.Applied)
		if len(out.Policies) > 0 {
			out.Why += ": it hangs on " + list(out.Policies)
		}
		out.Settle = b.ask(answer.Notes, c)
	}
}

// ask is the one request that makes an uncertain answer one.
func (b *decider) ask(notes []string, c *cover) string {
	if lack := b.Engine.Tenant().PoliciesLack; len(lack) > 0 {
		return lack[0]
	}
	for _, n := range notes {
		if rest, is := strings.CutPrefix(n, "what would settle it is "); is {
			return rest
		}
	}
	return cmp.Or(c.missing, evidence.RequestFor(evidence.ConditionalAccessPolicy))
}

// open is a door that the settings leave open, everywhere or somewhere.
func (b *decider) open(out *Path, p *protocol, a *Account, n int) {
	where := ""
	if b.Engine.Decide(access.SignIn{User: n, Client: p.client, App: p.app}).Outcome != access.MFANotRequired {
		where = ", though not everywhere"
		if g := b.at(p).proof.GapOf(n); g != nil {
			_, text, _ := strings.Cut(g.Text, ": ")
			where = ", though only here: " + cmp.Or(text, g.Text)
		}
	}
	shown, last := b.shown(p, a)
	switch {
	case p.id == smtp && b.SMTPAuth == "disabled":
		out.Works, out.Why = No, "SMTP AUTH is switched off in the tenant, as its operator says"
	case shown:
		out.Works, out.Why = Yes, "no policy stops it"+where+", and the log shows a sign-in by it on "+last
	case p.id == smtp && b.SMTPAuth == "enabled":
		out.Works, out.Why = Yes, "no policy stops it"+where+", and SMTP AUTH is on in the tenant, as its operator says"
	case p.id == smtp:
		out.Works, out.Why = Unknown, "no policy stops it"+where+"; whether SMTP AUTH is switched on for the tenant and the mailbox was not read"
		out.Settle = strings.ReplaceAll(smtpSwitch, "{account}", cmp.Or(a.UPN, a.ID))
	default:
		out.Works, out.Why = Unknown, "no policy stops it"+where+"; whether any service still takes a password by it was not seen"
		out.Settle = evidence.RequestFor(evidence.SignIn)
	}
}

// shown reports that the log shows the protocol at work of late, and since what
// Microsoft ended by date.
func (b *decider) shown(p *protocol, a *Account) (ok bool, day string) {
	for i := range a.Uses {
		u := &a.Uses[i]
		if u.Protocol != p.id || u.Last.IsZero() || b.AsOf.Sub(u.Last) > maxAge {
			continue
		}
		if p.id == smtp && slices.ContainsFunc(b.Ends, func(o ended) bool {
			return (o.ID == endOff || o.ID == endRemoval) && o.Standing == "past" && !u.Last.After(o.Date.Time)
		}) {
			continue
		}
		if d := u.Last.Format("2006-01-02"); !ok || d > day {
			ok, day = true, d
		}
	}
	return ok, day
}

// stopping names the policies that stop a sign-in without a second factor.
func stopping(uses []access.Use) []string {
	out := []string{}
	for i := range uses {
		if u := &uses[i]; u.Applies != "no" && u.Demands != "session controls only" {
			out = append(out, cmp.Or(u.Policy, u.ID))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// reportOnly names the policies that would stop it once they are switched on.
func (b *decider) reportOnly(p *protocol, n int) []string {
	out := []string{}
	if p.gone != "" {
		return out
	}
	for _, u := range b.Engine.Decide(access.SignIn{User: n, Client: p.client, App: p.app}).Report {
		if u.Applies == "yes" && (u.Demands == "block" || strings.Contains(u.Demands, "MFA")) {
			out = append(out, cmp.Or(u.Policy, u.ID))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func list(names []string) string {
	const most = 3
	switch n := len(names); {
	case n == 0:
		return "what is not known"
	case n > most:
		return strings.Join(names[:most], ", ") + " and more"
	case n > 1:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return names[0]
}
