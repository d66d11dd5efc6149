package people

import (
	"cmp"
	"strings"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// detail is what an open row says: what it can answer with, what the settings do to it,
// what the log saw, and what to do.
func detail(r *Row) []screen.Block {
	return []screen.Block{screen.Func(func(b *screen.Builder) {
		b.Class("div", "grid g3")
		b.Open("div")
		b.Elem("h3", "Methods")
		r.methods().Build(b)
		b.End("div")
		b.Open("div")
		b.Elem("h3", r.settingsHead())
		r.settings(b)
		b.End("div")
		b.Open("div")
		b.Elem("h3", "Seen in the log")
		r.seen().Build(b)
		r.doors(b)
		b.End("div")
		b.End("div")
		r.below(b)
	})}
}

// methodNames are what Entra ID calls a method, and what people do.
var methodNames = map[string]string{
	"mobilephone": "mobile phone", "alternatemobilephone": "second mobile phone", "officephone": "office phone",
	"microsoftauthenticatorpush": "Authenticator, push", "microsoftauthenticatorpasswordless": "Authenticator, passwordless",
	"softwareonetimepasscode": "one-time code app", "hardwareonetimepasscode": "one-time code token", "fido2securitykey": "security key (FIDO2)",
	"windowshelloforbusiness": "Windows Hello for Business", "passkeydevicebound": "passkey", "passkeydeviceboundauthenticator": "passkey in Authenticator",
	"passkeysynced": "synced passkey", "macossecureenclavekey": "macOS Secure Enclave key", "x509certificatemultifactor": "certificate",
	"externalauthmethod": "external provider", "temporaryaccesspass": "Temporary Access Pass", "email": "e-mail, for resets only",
	"securityquestion": "security questions, for resets only", "apppassword": "app password, carries no MFA",
}

func (r *Row) methods() screen.Pairs {
	p := screen.Pairs{{Key: "Strongest", Cell: factorCell(r)}}
	if r.Registered == Unknown && len(r.Methods) == 0 {
		p = append(p, screen.Pair{Key: "Registered", Cell: screen.Cell{Said: said(print.Doubt, "not read"), Sub: "which methods it has is not known: " +
			"GET /reports/authenticationMethods/userRegistrationDetails"}})
	}
	for _, m := range r.Methods {
		p = append(p, screen.Pair{Key: cmp.Or(methodNames[strings.ToLower(m)], m), Cell: screen.Cell{Text: "registered"}})
	}
	if r.Registered == No && len(r.Methods) == 0 {
		p = append(p, screen.Pair{Key: "All", Cell: screen.Cell{Text: "nothing is registered"}})
	}
	for _, s := range r.Sources {
		if s.What == "registration" {
			p[0].From = shortSource(s.Where)
			p[0].Cell.SubAt = s.At
		}
	}
	roles := screen.Cell{Text: strings.Join(r.Roles, ", ")}
	if len(r.Roles) == 0 {
		roles = screen.Cell{Text: "none", Quiet: true}
	}
	if r.RolesRead != Yes {
		roles.Sub = "not all lists of roles were read: there may be more"
		if len(r.Roles) == 0 {
			roles = screen.Cell{Said: said(print.Doubt, "not read")}
		}
	}
	enabled := map[string]screen.Cell{Yes: {Text: "yes"}, No: {Text: "no"}}
	e, known := enabled[r.Enabled]
	if !known {
		e = screen.Cell{Said: said(print.Doubt, "not read")}
	}
	p = append(p, screen.Pair{Key: "Roles", Cell: roles}, screen.Pair{Key: "Enabled", Cell: e})
	for _, s := range r.Sources {
		if s.What == "account" {
			p[len(p)-1].From = shortSource(s.Where)
		}
	}
	return p
}

// shortSource is where something was read, without whose archive it is: the page says.
func shortSource(s string) string {
	if rest, is := strings.CutPrefix(s, "archive:"); is {
		if _, file, ok := strings.Cut(rest, "/"); ok {
			return "archive/" + file
		}
	}
	return s
}

func (r *Row) settingsHead() string {
	if r.Proof == Open {
		return "What opens it"
	}
	return "Settings, in an ordinary sign-in"
}

// settings are the policies, those that take it first, each with what decides that.
func (r *Row) settings(b *screen.Builder) {
	if r.Settle != "" {
		screen.Pairs{{Key: "Settled by", Cell: screen.Cell{Text: r.Settle, Mono: true}}}.Build(b)
	}
	if o := r.Opening; o != nil {
		screen.Pairs{{Key: "Open", Cell: screen.Cell{Said: said(print.Bad, o.Where), Sub: o.Text}},
			{Key: "To try", Cell: screen.Words(r.called() + " " + o.Witness)}}.Build(b)
		for _, why := range o.Why {
			if len(r.Policies) == 0 {
				b.Elem("p", why, screen.A("class", "note"))
			}
		}
	}
	var list screen.Items
	for i := range r.Policies {
		u := &r.Policies[i]
		it := screen.Item{Lead: cmp.Or(u.Policy, u.ID), Path: screen.With("/coverage", "tenant", r.Tenant, "q", u.Policy), Text: u.Clause}
		switch u.Applies {
		case "yes":
			it.Said, it.Text = &page.Said{Tone: print.Good, Word: "takes it"}, "asks for "+u.Demands
		case "perhaps":
			it.Said = &page.Said{Tone: print.Doubt, Word: "may take it"}
		case "report-only":
			it.Said, it.Meta = &page.Said{Tone: print.Muted, Word: "report-only"}, " report-only: would ask for "+u.Demands
		default:
			it.Said = &page.Said{Tone: print.Bad, Word: "leaves it out"}
		}
		list.List = append(list.List, it)
	}
	list.Empty = "no policy was read that could ask it"
	if r.Proof == NotAsked {
		list.Empty = "the settings were not asked about it"
	}
	if len(list.List) > 0 || r.Settle == "" {
		list.Build(b)
	}
}

func (r *Row) seen() screen.Pairs {
	switch {
	case r.Log == SeenUnknown && r.SignIns == 0:
		return screen.Pairs{{Key: "Log", Cell: screen.Cell{Said: said(print.Doubt, "not read, or not all of it"), Sub: "GET /beta/auditLogs/signIns"}}}
	case r.Log == SeenNever:
		return screen.Pairs{{Key: "Log", Cell: screen.Cell{Text: "read to its end, and it did not sign in", Quiet: true}}}
	}
	p := screen.Pairs{{Key: "Last sign-in", Cell: screen.When(r.LastSignIn, "never")}}
	without := screen.When(r.LastUnasked, "never in what was read")
	if s := r.Seen; s != nil {
		without.Sub = strings.Trim(strings.Join([]string{s.App, s.Client}, ", "), ", ")
	}
	p = append(p, screen.Pair{Key: "Last without MFA", Cell: without},
		screen.Pair{Key: "Without MFA", Cell: screen.Cell{Of: &screen.Part{N: r.Unasked, Of: r.SignIns, Unit: "sign-ins"},
			Path: screen.With("/signins", "tenant", r.Tenant, "account", r.inLog(), "verdict", "not_challenged")}})
	if r.Log == SeenUnclear {
		p = append(p, screen.Pair{Key: "Unclear", Cell: screen.Cell{Said: said(print.Doubt, "rows do not show whether with MFA")}})
	}
	if r.Log == SeenUnknown {
		p = append(p, screen.Pair{Key: "Log", Cell: screen.Cell{Said: said(print.Doubt, "not all of it was read")}})
	}
	if len(r.Apps) > 0 {
		p = append(p, screen.Pair{Key: "To", Cell: screen.Words(strings.Join(r.Apps, ", "))})
	}
	if s := r.Seen; s != nil {
		p = append(p, screen.Pair{Key: "From", Cell: screen.Cell{Text: s.From, Mono: true}, From: shortSource(s.Source)})
	}
	if len(r.Legacy) > 0 {
		p = append(p, screen.Pair{Key: "Legacy clients", Cell: screen.Words(strings.Join(r.Legacy, ", "))})
	}
	return p
}

// inLog is how the log names it.
func (r *Row) inLog() string { return strings.ToLower(cmp.Or(r.ID, r.UPN)) }

// doors lead to what else is known of it.
func (r *Row) doors(b *screen.Builder) {
	b.Class("div", "row mt")
	b.Elem("a", "Its sign-ins", screen.A("class", "btn"), screen.A("href", screen.With("/signins", "tenant", r.Tenant, "account", r.inLog())))
	if o := r.Opening; o != nil {
		b.Elem("a", "Decide it", screen.A("class", "btn"), screen.A("href", screen.With("/coverage/decide", "tenant", r.Tenant, "account", cmp.Or(r.UPN, r.ID),
			"app", o.App, "client", o.Client, "where", o.Place, "platform", o.Platform)))
	}
	if r.Verdict == "not_met" || r.Verdict == "unknown" {
		b.Elem("a", "Ask for an exception", screen.A("class", "btn ghost"),
			screen.A("href", screen.With("/exceptions/ask", "requirement", "mfa-every-user", "account", cmp.Or(r.UPN, r.ID))))
	}
	b.End("div")
}

// below is the verdict with its reason, and the ways out in full.
func (r *Row) below(b *screen.Builder) {
	v := page.SaidOf(r.Verdict)
	p := screen.Pairs{{Key: "Verdict", Cell: screen.Cell{Said: &v, Sub: r.Reason}}}
	if r.Exception != "" {
		p = append(p, screen.Pair{Key: "Exception", Cell: screen.Cell{Text: r.Exception, Sub: "it silences alerts; the verdict stays"}})
	}
	for _, w := range r.Ways {
		p = append(p, screen.Pair{Key: w.Word, Cell: screen.Words(w.Text)})
	}
	p = append(p, screen.Pair{Key: "Id", Cell: screen.Cell{Text: r.ID, Mono: true}})
	b.Class("div", "mt")
	p.Build(b)
	b.End("div")
}
