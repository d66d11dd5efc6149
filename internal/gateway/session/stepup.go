package session

import (
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/claim"
	"partnerguard/internal/gateway"
	"partnerguard/internal/gateway/answer"
	"partnerguard/internal/gateway/rule"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// lacking is what a session does not satisfy of the route of a path; Passed where there is
// nothing to step up for.
func (m *Manager) lacking(host, to string, id *gateway.Identity) (*gateway.Route, gateway.Reason) {
	u, err := url.Parse(to)
	if err != nil {
		return nil, gateway.Passed
	}
	route, reason := m.d.Table().Find(host, u.EscapedPath())
	if reason != gateway.Passed || route == nil {
		return nil, gateway.Passed
	}
	if reason = rule.Decide(route, id, m.now()); reason.Kind() != gateway.Challenge {
		return route, gateway.Passed
	}
	return route, reason
}

// stepUp says why more is asked for, in words, and has one button.
func (m *Manager) stepUp(w http.ResponseWriter, r *http.Request) error {
	to := answer.SafePath(r.URL.Query().Get("to"))
	e, _, reason := m.who(r)
	if reason != gateway.Passed {
		lead(w, signInPath+"?"+url.Values{"to": {to}}.Encode())
		return nil
	}
	route, lacks := m.lacking(r.Host, to, e.id)
	if lacks == gateway.Passed {
		lead(w, to)
		return nil
	}
	si, err := m.app(r.Context())
	if err != nil {
		return err
	}
	m.show(w, r, http.StatusOK, m.stepUpPage(r, &si, e.id, route, lacks, to))
	return nil
}

func (m *Manager) stepUpPage(r *http.Request, si *SignIn, id *gateway.Identity, route *gateway.Route, lacks gateway.Reason, to string) answer.Page {
	p := answer.Page{Title: "Prove that it is you", Tone: print.Doubt, Banner: lackWords(lacks, route), Leads: m.leads(r, si),
		Forms: []answer.Form{{Action: stepUpPath, Text: "Sign in with MFA", Primary: true, Fields: [][2]string{{"to", to}}}},
		Facts: []answer.Fact{{Name: "Account", Value: nameOf(id)}, {Name: "You are going to", Value: r.Host + cutQuery(to)}},
		Foot:  "Entra ID asks you, not this page. If the sign-in comes back without what is asked for, the next page says what must be set."}
	if id.AuthTime > 0 {
		p.Facts = append(p.Facts, answer.Fact{Name: "You signed in", Value: print.When(unix(id.AuthTime))})
	}
	if by := methods(id); by != "" {
		p.Facts = append(p.Facts, answer.Fact{Name: "With", Value: by})
	}
	if lacks == gateway.ContextMissing {
		p.Forms[0].Text = "Continue with Entra ID"
	}
	return p
}

// lackWords say to the person itself what is asked for.
func lackWords(lacks gateway.Reason, route *gateway.Route) string {
	switch lacks {
	case gateway.TooOld:
		return "Your sign-in is older than " + words(route.MaxAge) + ", which is the most that is allowed here. Prove MFA anew, and you are back"
	case gateway.AgeUnknown:
		return "Your sign-in does not say when it was, and here it may be " + words(route.MaxAge) + " old at most. Sign in anew, and you are back"
	case gateway.ContextMissing:
		return "Your tenant asks for more before you go on here (authentication context " + route.Context + "). Continue, and you are back"
	case gateway.ThirdPartyMFA:
		return "You passed another provider's MFA, which Entra ID does not vouch for. Here it has to"
	}
	return "You signed in, and the sign-in does not prove MFA. Here it has to. Sign in with MFA, and you are back"
}

// methods are what somebody signed in with, in words.
func methods(id *gateway.Identity) string {
	return strings.Join(claim.Methods(without(id.AMR, "mfa")), ", ")
}

func without(list []string, s string) (out []string) {
	for _, v := range list {
		if v != s {
			out = append(out, v)
		}
	}
	return out
}

// cutQuery leaves what a person knows of an address.
func cutQuery(to string) string {
	path, _, _ := strings.Cut(to, "?")
	return path
}

func nameOf(id *gateway.Identity) string {
	if id.Account == "" {
		return id.ObjectID
	}
	return id.Account
}

func (m *Manager) postStepUp(w http.ResponseWriter, r *http.Request) error {
	to := answer.SafePath(r.PostFormValue("to"))
	e, _, reason := m.who(r)
	if reason != gateway.Passed {
		lead(w, signInPath+"?"+url.Values{"to": {to}}.Encode())
		return nil
	}
	route, lacks := m.lacking(r.Host, to, e.id)
	if lacks == gateway.Passed {
		lead(w, to)
		return nil
	}
	f := flow{To: to, Forced: true}
	if strings.Contains(e.id.Account, "@") {
		f.Hint = e.id.Account
	}
	return m.begin(w, r, f, route, lacks, "")
}

// unmet ends a step-up that came back without what was demanded, with what must be set in
// the tenant. It leads nowhere by itself.
func unmet(id *gateway.Identity, route *gateway.Route, lacks gateway.Reason) *refusal {
	fix := ""
	switch lacks {
	case gateway.ContextMissing:
		fix = "an administrator of the tenant makes a Conditional Access policy for the authentication context " + route.Context +
			", publishes that context to apps, and has it cover this account; the sign-in app's registration may need the optional claim acrs in ID tokens"
	case gateway.TooOld:
		fix = "sign out at Microsoft, or use a private window, and sign in again; a program on this device may sign in by itself"
	case gateway.AgeUnknown:
		fix = "an administrator adds the optional claim auth_time to the ID tokens of the sign-in app's registration"
	case gateway.VersionHides:
		fix = "an administrator adds the optional claim amr to the ID tokens of the sign-in app's registration"
	case gateway.ThirdPartyMFA:
		fix = "an administrator replaces the custom control by External MFA, or has the federated provider send authnmethodsreferences with multipleauthn"
	default:
		fix = "an administrator sets a Conditional Access policy that requires MFA of every user for the sign-in app; the account registers a method at " +
			"https://aka.ms/mfasetup; a federated provider must send authnmethodsreferences with multipleauthn"
	}
	no := refuse(problem.Forbidden, "step-up", fix, "more was demanded of %s, and the sign-in came back without it: %s", nameOf(id), lacks.Title())
	no.Title = "Not enough"
	no.Facts = []answer.Fact{{Name: "Account", Value: nameOf(id)}, {Name: "Object id", Value: id.ObjectID}, {Name: "Reason", Value: lacks.String()},
		{Name: "Route", Value: route.Name}}
	if by := methods(id); by != "" {
		no.Facts = append(no.Facts, answer.Fact{Name: "Signed in with", Value: by})
	}
	return no
}
