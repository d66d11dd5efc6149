package capture

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
)

// Invitation is what a person is shown before an invited partner's sign-in
// begins: who asks, for which tenant, and for which permissions.
type Invitation struct {
	App      string // its name
	ClientID string
	Tenant   string // that may answer
	Domain   string // of the tenant, where it is known to be its own
	Until    string // for reading
	Cloud    msapi.Cloud
	Features []Feature
	SignIn   string // origin the browser is sent to; "" is the cloud's authority
}

// WriteInvitation answers with the page of an invitation: one button, which
// posts to the page's own address. It works without script.
func WriteInvitation(w http.ResponseWriter, v Invitation) {
	v.SignIn = cmp.Or(v.SignIn, v.Cloud.Authority)
	p := card{
		Title: "Connect your tenant", Button: "Sign in with MFA",
		Words: print.Clean(v.App, print.MaxName) +
			" asks for your consent. Sign in as the account that is to act for it: an Admin Agent of your tenant, with MFA.",
		Close: "The sign-in is at " + hostOf(v.SignIn) + ". Your password is never seen here. Without MFA nothing is kept.",
	}
	p.fact("App id", v.ClientID)
	p.tenant(v.Domain, v.Tenant)
	p.fact("Valid until", v.Until)
	p.list("It asks to be allowed to", asked(v.Features))
	// The form leads to the authority by a redirect, which browsers hold against
	// form-action too.
	show(w, http.StatusOK, p, "'self' "+originOf(v.SignIn))
}

// asked says what the permissions of some features let an app do, with their names.
func asked(features []Feature) []string {
	names := map[string][]string{}
	var order []string
	for _, r := range Permissions(features).Resources {
		for _, x := range r.Scopes {
			words := Allows(r.AppID, x.Value)
			if names[words] == nil {
				order = append(order, words)
			}
			names[words] = append(names[words], x.Value)
		}
	}
	out := make([]string, len(order))
	for i, words := range order {
		out[i] = words + " (" + strings.Join(names[words], ", ") + ")"
	}
	return out
}

// WriteInvited is WritePage for an invited partner, who has no partnerguard to
// run.
func WriteInvited(w http.ResponseWriter, status int, done Done, err error) {
	show(w, status, invitedPage(done, err), "'none'")
}

func invitedPage(done Done, err error) card {
	p := pageOf(done, err)
	p.Fix = strings.NewReplacer("run partnerguard connect again", openAgain, "run partnerguard connect", openAgain, "Run partnerguard connect",
		"O"+openAgain[1:]).Replace(p.Fix)
	return p
}

const openAgain = "open the invitation's link again"

func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Host
	}
	return ""
}

func originOf(address string) string {
	if u, err := url.Parse(address); err == nil {
		return u.Scheme + "://" + u.Host
	}
	return ""
}
