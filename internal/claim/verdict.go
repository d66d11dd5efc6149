package claim

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"partnerguard/internal/entra"
)

// Issuers are the beginnings of what Entra ID of Microsoft's clouds puts in
// iss (contracts.md section 4.4): the commercial cloud, US government, China,
// and v1 before v2 for each. US government's v1 tokens come from
// sts.windows.net too.
func Issuers() []string { return slices.Clone(issuers()) }

var issuers = sync.OnceValue(func() (out []string) {
	for _, c := range entra.Clouds() {
		for _, i := range c.Issuers {
			if !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	}
	return append(out, entra.OlderChinaIssuer)
})

// Options say how a token is judged.
type Options struct {
	// Now is the moment of judgement, for the age; zero gives no age.
	Now time.Time
	// Issuers are the beginnings iss may have, each ending at a slash or the
	// end; nil means [Issuers].
	Issuers []string
}

// MFA is the one verdict. Only a user's token from an expected issuer whose
// amr is a list with the element "mfa", whole and in lower case, proves it. It
// does not ask whether the token is genuine ([Verify]) or still valid.
func (t Token) MFA(o Options) Verdict {
	v := t.mfa(o)
	v.Age = age(o.Now, t.AuthTime)
	return v
}

func (t Token) mfa(o Options) Verdict {
	if t.Opaque {
		return Verdict{Answer: CannotTell, Cause: Opaque, Reason: "nothing can be read from it: " + strings.Join(t.Notes, "; "),
			Fix: "ask for a token of Partner Center (" + entra.PartnerCenter +
				"), which is readable, and check that; a refresh token or a code cannot be read by anyone but its issuer"}
	}
	if why := t.issuerFault(o.Issuers); why != "" {
		return Verdict{Answer: NotProven, Cause: WrongIssuer, Reason: why,
			Fix: "federate the provider with Entra ID or add it as an external authentication method, so that Entra ID issues the token; name another " +
				"expected issuer if this one is meant"}
	}
	if t.IsApp {
		return Verdict{Answer: CannotTell, Cause: AppOnly, Reason: "no user signed in for it, so there is no MFA to prove",
			Fix: "nothing to do where app-only is allowed; for calls that need a user, get a token with the consent of one who passed MFA (app+user)"}
	}
	also := ""
	if len(t.ACRS) > 0 {
		also = fmt.Sprintf("; it satisfies the authentication %s %s, which names a policy's demand and not how it was met",
			plural(len(t.ACRS), "context", "contexts"), words(t.ACRS))
	}
	switch t.AMRForm {
	case formAbsent:
		if t.version() == 2 {
			return Verdict{Answer: CannotTell, Cause: Version2, By: t.ACRS, Reason: "it is a version 2 token without amr, which is optional there" + also,
				Fix: "check a token of Partner Center, which is version 1 and always carries amr; or add the optional claim amr to the app that the " +
					"token is for"}
		}
		return Verdict{Answer: NotProven, Cause: NoClaim, Reason: "there is no amr claim at all" + also,
			Fix: "sign in again with MFA asked for (amr_values=mfa or a policy); a federated provider must send authnmethodsreferences"}
	case formText:
		return Verdict{Answer: NotProven, Cause: WithoutMFA,
			Reason: fmt.Sprintf("amr is the text %s and not a list: what Entra ID writes is a list, and only that is taken as proof", words(t.AMR)),
			Fix:    "get the token from Entra ID itself; a provider that rewrites it must keep amr a list"}
	case formArray:
	default:
		return Verdict{Answer: NotProven, Cause: WithoutMFA, Reason: "amr is there and is not a list of texts, or is there twice: it is not taken as proof",
			Fix: "get the token from Entra ID itself; a provider that rewrites it must keep amr a list of texts"}
	}
	if slices.Contains(t.AMR, "mfa") {
		others := []string{}
		for _, m := range t.AMR {
			if m != "mfa" && !slices.Contains(others, m) {
				others = append(others, m)
			}
		}
		by := ""
		if len(others) > 0 {
			by = ", with " + words(others)
		}
		return Verdict{Answer: Proven, By: others, Reason: "amr contains mfa" + by + also}
	}
	return Verdict{Answer: NotProven, Cause: WithoutMFA, By: t.ACRS, Reason: t.without() + also,
		Fix: "sign in again with MFA asked for (amr_values=mfa or a policy); a federated provider must send multipleauthn, and custom controls never " +
			"yield the claim"}
}

// multipleauthn is what a federated provider sends Entra ID to say MFA
// (contracts.md section 1.2); in a token of Entra ID it has become "mfa".
const multipleauthn = "http://schemas.microsoft.com/claims/multipleauthn"

// without says what amr holds instead, and names the values that mislead.
func (t Token) without() string {
	if len(t.AMR) == 0 {
		return "amr is there and empty"
	}
	s := fmt.Sprintf("amr holds %s and no mfa", words(t.AMR))
	for _, m := range t.AMR {
		switch {
		case m == "ngcmfa":
			return s + "; ngcmfa says that a method may be registered, not that MFA was passed"
		case m == multipleauthn:
			return s + "; multipleauthn is what a provider tells Entra ID, which writes mfa once it has taken it"
		case strings.EqualFold(strings.TrimSpace(m), "mfa"):
			return s + "; " + short(m) + " is not mfa: values compare exactly"
		}
	}
	return s
}

// issuerFault says what is wrong with the issuer, or nothing.
func (t Token) issuerFault(expected []string) string {
	if expected == nil {
		expected = issuers()
	}
	if t.Issuer == "" {
		return "it does not say who issued it"
	}
	i := slices.IndexFunc(expected, func(e string) bool { return under(t.Issuer, e) })
	if i < 0 {
		return fmt.Sprintf("it was issued by %s, not by an expected issuer", short(t.Issuer))
	}
	rest := strings.TrimPrefix(t.Issuer[len(expected[i]):], "/")
	if tenant, _, _ := strings.Cut(rest, "/"); t.Tenant != "" && isGUID(tenant) && !strings.EqualFold(tenant, t.Tenant) {
		return fmt.Sprintf("it names the tenant %s and was issued by the tenant %s", short(t.Tenant), short(tenant))
	}
	return ""
}

// under reports that iss is the expected address or below it; a host that only
// begins alike is another.
func under(iss, expected string) bool {
	rest, ok := strings.CutPrefix(iss, expected)
	return ok && expected != "" && (rest == "" || strings.HasSuffix(expected, "/") || rest[0] == '/')
}

// version is 1 or 2, by ver, else by the form of the issuer; 1 when neither
// says, since that is the stricter reading.
func (t Token) version() int {
	switch {
	case strings.HasPrefix(t.Version, "2"):
		return 2
	case t.Version == "" && strings.HasSuffix(strings.TrimSuffix(t.Issuer, "/"), "/v2.0"):
		return 2
	}
	return 1
}

func age(now, then time.Time) time.Duration {
	if now.IsZero() || then.IsZero() || now.Before(then) {
		return UnknownAge
	}
	return now.Sub(then)
}

func isGUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
		if dash && c != '-' || !dash && !hex {
			return false
		}
	}
	return true
}

// words lists values for a sentence. Plain ones stand as they are.
func words(list []string) string {
	const most = 8
	var out []string
	for i, s := range list {
		if i == most {
			out = append(out, fmt.Sprintf("%d more", len(list)-most))
			break
		}
		if plain(s) {
			out = append(out, s)
		} else {
			out = append(out, short(s))
		}
	}
	return strings.Join(out, ", ")
}

func plain(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
