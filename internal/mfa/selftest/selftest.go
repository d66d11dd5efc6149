package selftest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/factor"
	"partnerguard/internal/problem"
)

// Result is how a check ended.
type Result string

// The results. Unknown is never good.
const (
	Good    Result = "good"
	Bad     Result = "bad"
	Unknown Result = "unknown"
)

// Check is one thing that Entra ID does with a provider, and how it would end.
type Check struct {
	Name   string `json:"check"`
	Result Result `json:"result"`
	Code   int    `json:"aadsts,omitempty"` // what Entra ID would answer; 0: none, or it is not known
	Found  string `json:"found"`            // a sentence
	Mend   string `json:"mend,omitempty"`
}

// Registered is what stands in a tenant of Entra ID about the provider.
type Registered struct {
	Redirects []string // of the app
	Principal bool     // the consent is there
	State     string   // of the method: enabled, disabled, "" when there is none
	Discovery string   // as the method's configuration has it
}

// Options are what is tried.
type Options struct {
	Discovery string // the address that Entra ID was given
	Return    string // where the cloud takes answers
	Client    string // client id of the method's configuration
	AppID     string
	Tenant    string        // one that is served
	Authority string        // of the cloud
	Leeway    time.Duration // that the provider allows the clocks
	Now       func() time.Time

	Transport http.RoundTripper // nil is the network
	// Clock is the cloud's; nil is not known.
	Clock func(context.Context) (time.Time, error)
	// Look reads what stands in Entra ID; nil cannot be told.
	Look func(context.Context) (Registered, error)
}

// Limits of what is read of a provider.
const (
	maxBody = 256 << 10
	wait    = 10 * time.Second
	suffix  = "/.well-known/openid-configuration"
)

// run is a self-test under way.
type run struct {
	o    Options
	http *http.Client
	out  []Check

	doc  document
	keys []map[string]any
}

// document is a provider's metadata.
type document struct {
	Issuer        string   `json:"issuer"`
	Authorization string   `json:"authorization_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Scopes        []string `json:"scopes_supported"`
	Types         []string `json:"response_types_supported"`
	Modes         []string `json:"response_modes_supported"`
	Subjects      []string `json:"subject_types_supported"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	Grants        []string `json:"grant_types_supported"`
	ClaimTypes    []string `json:"claim_types_supported"`
}

// Run plays Entra ID's side against a running provider. It signs its hints with a key of
// its own, which a provider must refuse: nobody is ever asked for anything by it. The
// error is of kind problem.Usage for options that cannot be.
func Run(ctx context.Context, o Options) ([]Check, error) {
	if o.Discovery == "" || o.Return == "" || o.Now == nil {
		return nil, problem.New(problem.Usage, "there is no provider to try").WithHint("set publicURL, or name its discovery address")
	}
	r := &run{o: o, http: &http.Client{Transport: o.Transport, Timeout: wait,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	r.address()
	if r.discovery(ctx) && r.keySet(ctx) {
		r.door(ctx)
	}
	r.entra(ctx)
	r.clock(ctx)
	r.factors()
	r.tell("a sign-in to its end", Unknown, 0, "only Entra ID can sign a hint, so this cannot be tried from outside",
		"sign in once as one person of a small group before the method is for all")
	return r.out, nil
}

func (r *run) tell(name string, res Result, code int, found, mend string) {
	if res == Good {
		code, mend = 0, ""
	}
	r.out = append(r.out, Check{name, res, code, found, mend})
}

// hold tells good or bad.
func (r *run) hold(name string, good bool, code int, found, mend string) bool {
	if good {
		r.tell(name, Good, 0, "as Entra ID wants it", "")
	} else {
		r.tell(name, Bad, code, found, mend)
	}
	return good
}

func (r *run) address() {
	u, err := url.Parse(r.o.Discovery)
	local := err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
	r.hold("discovery address", err == nil && strings.HasSuffix(u.Path, suffix) && u.RawQuery == "" && u.Fragment == "" && u.User == nil &&
		u.Port() != "443" && (u.Scheme == "https" || local), entra.CodeExternalClaimInvalid,
		"it is not https, has a query or :443, or does not end in "+suffix, "give publicURL as https://host, without a path and without :443")
	if local {
		r.tell("reached by Entra ID", Unknown, 0, "this is an address of this machine: the partner cloud reaches it, and Entra ID does not",
			"set publicURL before it is registered with a cloud of Microsoft's")
	}
}

// get reads JSON, and tells of what Entra ID would not take.
func (r *run) get(ctx context.Context, name, where string, into any) bool {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, where, nil)
	if err != nil {
		return r.hold(name, false, entra.CodeExternalClaimInvalid, "the address cannot be used", "set publicURL")
	}
	q.Header.Set("Accept-Encoding", "identity")
	resp, err := r.http.Do(q)
	if err != nil {
		return r.hold(name, false, entra.CodeExternalUnreachable, "it cannot be reached: "+reach(err),
			"look at the address, its certificate, the proxy and the firewall; Entra ID comes from the internet")
	}
	defer func() { _ = resp.Body.Close() }()
	if !r.hold(name+": answers", resp.StatusCode == http.StatusOK, entra.CodeExternalUnreachable, fmt.Sprintf("it answers %d", resp.StatusCode),
		"look into the server's log; a redirect is not followed") {
		return false
	}
	r.hold(name+": Content-Length", resp.ContentLength >= 0, entra.CodeExternalUnreachable, "it answers without its length",
		"a proxy in front of the server must not take Content-Length away, nor send in chunks")
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	return r.hold(name+": JSON", err == nil && len(body) <= maxBody && json.Unmarshal(body, into) == nil, entra.CodeExternalClaimInvalid,
		"it is no JSON of the expected form", "something else answers at the address: look at the proxy's rules for /mfa/")
}

// reach says why there was no answer, without an address.
func reach(err error) string {
	for _, w := range []struct{ part, words string }{{"certificate", "its certificate is not trusted"}, {"no such host", "its name is not known"},
		{"refused", "nothing listens there"}, {"imeout", "it takes too long"}, {"deadline", "it takes too long"}} {
		if strings.Contains(err.Error(), w.part) {
			return w.words
		}
	}
	return "the connection failed"
}

func (r *run) discovery(ctx context.Context) bool {
	if !r.get(ctx, "discovery", r.o.Discovery, &r.doc) {
		return false
	}
	d, code := &r.doc, entra.CodeExternalClaimInvalid
	r.hold("issuer", d.Issuer == strings.TrimSuffix(r.o.Discovery, suffix), code, "it is not the discovery address without "+suffix+", character for character",
		"publicURL must be written as Entra ID was given it")
	for _, m := range []struct {
		name string
		list []string
		want string
	}{{"scopes_supported", d.Scopes, "openid"}, {"response_types_supported", d.Types, "id_token"}, {"response_modes_supported", d.Modes, "form_post"},
		{"id_token_signing_alg_values_supported", d.Algorithms, "RS256"}, {"grant_types_supported", d.Grants, "implicit"},
		{"claim_types_supported", d.ClaimTypes, "normal"}} {
		r.hold(m.name, slices.Contains(m.list, m.want), code, "it lacks "+m.want, "this is not the metadata of Partnerguard")
	}
	r.hold("subject_types_supported", len(d.Subjects) > 0, code, "it is missing", "this is not the metadata of Partnerguard")
	u, err := url.Parse(d.Authorization)
	return r.hold("authorization_endpoint", err == nil && u.Host != "" && u.RawQuery == "" && u.Fragment == "", code, "it is no usable address",
		"set publicURL")
}

// entra looks at what was registered.
func (r *run) entra(ctx context.Context) {
	const hint = "partnerguard mfa register-with-entra --plan shows what is missing"
	names := []string{"reply address of the app", "consent", "method", "discovery address of the method"}
	var reg Registered
	var err error
	if r.o.Look != nil {
		reg, err = r.o.Look(ctx)
	}
	if r.o.Look == nil || err != nil {
		why := "no connection may read it"
		if err != nil {
			why = "it cannot be read"
		}
		for _, n := range names {
			r.tell(n, Unknown, 0, why, "connect with --feature external-mfa, or look in the Entra admin centre")
		}
		return
	}
	r.hold(names[0], r.doc.Authorization != "" && slices.ContainsFunc(reg.Redirects, func(u string) bool { return strings.HasPrefix(u, r.doc.Authorization) }),
		entra.CodeExternalClaimInvalid, "the app does not list the authorization_endpoint among its redirect URIs", hint)
	r.hold(names[1], reg.Principal, entra.CodeExternalPrincipalMissing, "the tenant has no service principal of the app", hint)
	r.hold(names[2], reg.State == "enabled", 0, "the method is not there, or not enabled: nobody is sent here", hint)
	r.hold(names[3], reg.Discovery == r.o.Discovery, entra.CodeExternalClaimInvalid, "the method has another address", hint)
}

// clock holds the provider's clock to the cloud's: a hint is fresh by its moment of
// issue.
func (r *run) clock(ctx context.Context) {
	if r.o.Clock == nil {
		r.tell("clock", Unknown, 0, "the cloud's clock is not known", "")
		return
	}
	there, err := r.o.Clock(ctx)
	if err != nil {
		r.tell("clock", Unknown, 0, "the cloud cannot be reached", "the way to "+r.o.Authority+" must be open: its keys are read there")
		return
	}
	off := r.o.Now().Sub(there).Abs()
	r.hold("clock", off <= r.o.Leeway+2*time.Second, 0, "it is off by "+off.Round(time.Second).String()+": good hints would be refused",
		"set the clock by a time service")
}

// factors says of each acr what our factors make of it.
func (r *run) factors() {
	for _, acr := range []string{"possessionorinherence", "knowledgeorpossession", "knowledgeorinherence", "knowledgeorpossessionorinherence", "knowledge",
		"possession", "inherence"} {
		accept, _, refused := factor.Answers([]string{acr}, []string{factor.FIDO, factor.OTP, "face", "hwk", "sms", "tel"})
		if refused != "" {
			r.tell("acr "+acr, Good, 0, "it is denied, as it has to be: "+refused, "")
			continue
		}
		r.tell("acr "+acr, Good, 0, "answered by "+strings.Join(accept, " or "), "")
	}
}
