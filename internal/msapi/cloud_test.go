package msapi_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/gate"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/problem"
)

// From the code to tokens for a customer, and what the reply of each version
// looks like.
func TestTokensFromThePartnerCloud(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	g := l.consent(samAgent)
	if g.Access.IsZero() || g.Refresh.IsZero() || g.ID.IsZero() || g.Expires.Sub(g.At) < 59*time.Minute || g.Expires.Sub(g.At) > 91*time.Minute {
		t.Fatalf("grant: access %v refresh %v id %v life %s", g.Access.IsZero(), g.Refresh.IsZero(), g.ID.IsZero(), g.Expires.Sub(g.At))
	}
	tailspin := l.customer("tailspin.example")
	c, err := l.refresh(tailspin, g.Refresh, l.cloud.GraphResource+"/.default offline_access openid")
	if err != nil {
		t.Fatal(err)
	}
	if c.Refresh.IsZero() || c.Refresh.Equal(g.Refresh) || len(c.Scope) == 0 {
		t.Errorf("refresh: rotated %v, scope %v", !c.Refresh.Equal(g.Refresh), c.Scope)
	}
	if _, err := l.refresh(l.i.Tenant.ID, g.Refresh, l.cloud.PartnerCenterResource+"/.default"); err != nil {
		t.Errorf("the token before it: %v", err)
	}
	// The discovery document tells a domain's tenant.
	d, err := l.c.Discover(t.Context(), l.cloud, "contoso.com")
	if err != nil || d.Tenant != l.i.Tenant.ID {
		t.Errorf("discovery by domain: %v %v", d, err)
	}
	keys, err := l.c.Keys(t.Context(), l.cloud, l.i.Tenant.ID, "")
	if err != nil || len(keys.Keys) == 0 {
		t.Errorf("keys: %d %v", len(keys.Keys), err)
	}
	if _, err := l.c.Discover(t.Context(), l.cloud, "nowhere.example"); !errors.Is(err, problem.NotFound) {
		t.Errorf("a tenant that is not: %v", err)
	}
}

// A certificate that the registration has gets tokens by PS256, by RS256, and
// many times by the same assertion; a foreign one does not.
func TestCertificateAtThePartnerCloud(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	now := l.s.World.Clock.Now()
	cert := certificate(t, rsaKey(), now.Add(-time.Hour), now.Add(300*24*time.Hour))
	rt := l.consent(samAgent).Refresh
	use := func(o msapi.CertificateOptions) error {
		cred, err := msapi.NewCertificate(cert, rsaKey(), o)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := l.c.Refresh(t.Context(), msapi.RefreshRequest{Cloud: l.cloud, App: msapi.App{ClientID: panelApp, Credential: cred},
				Tenant: l.i.Tenant.ID, Refresh: rt, Scope: l.cloud.GraphResource + "/.default"}); err != nil {
				return err
			}
		}
		return nil
	}
	var e *msapi.TokenError
	if err := use(msapi.CertificateOptions{}); !errors.As(err, &e) || e.Code != 700027 || e.Transient {
		t.Errorf("before it is registered: %v", err)
	}
	l.s.World.Do(func(s *world.State) error {
		_, a := s.App(panelApp)
		a.Keys = append(a.Keys, world.KeyCredential{KeyID: world.NewGUID(), DER: cert.Raw, Start: cert.NotBefore, End: cert.NotAfter})
		return nil
	})
	for _, o := range []msapi.CertificateOptions{{}, {RS256: true}, {Chain: true}} {
		if err := use(o); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
	// Its end is told apart from a dead refresh token.
	l.s.World.Do(func(s *world.State) error {
		_, a := s.App(panelApp)
		a.Keys[len(a.Keys)-1].End = l.s.World.Clock.Now().Add(-time.Minute)
		return nil
	})
	if err := use(msapi.CertificateOptions{}); !errors.As(err, &e) || e.Code != 7000222 || e.Explanation().Bucket != entra.BucketCredential {
		t.Errorf("after it expired: %v", err)
	}
}

// Faults of the login service: what passes is survived or transient, and never
// looks like a rejection.
func TestLoginFaults(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	g := l.consent(samAgent)
	scope := l.cloud.PartnerCenterResource + "/.default offline_access"
	for name, c := range map[string]struct {
		f    gate.Fault
		want func(error) bool
	}{
		"one cut":        {gate.Fault{Kind: gate.Cut, Times: 1}, nil},
		"one lost reply": {gate.Fault{Kind: gate.Lost, Times: 1}, nil},
		"half a reply":   {gate.Fault{Kind: gate.Half, Times: 1}, nil},
		"two throttles":  {gate.Fault{Kind: gate.Throttle, Times: 2}, nil},
		"three 5xx":      {gate.Fault{Kind: gate.ServerErrors, Times: 3}, nil},
		"always cut":     {gate.Fault{Kind: gate.Cut}, transient},
		"always lost":    {gate.Fault{Kind: gate.Lost}, transient},
		"always throttle": {gate.Fault{Kind: gate.Throttle, RetryAfter: 7 * time.Second}, func(err error) bool {
			return transient(err) && tokenError(err).
				RetryAfter == 7*time.Second
		}},
		"always 503": {gate.Fault{Kind: gate.Error503}, transient},
		"a long throttle": {gate.Fault{Kind: gate.Throttle, RetryAfter: time.Hour}, func(err error) bool {
			return transient(err) && tokenError(err).
				RetryAfter == time.Hour
		}},
	} {
		c.f.Service, c.f.PathPrefix = gate.Login, "/"+l.i.Tenant.ID+"/oauth2"
		f, err := l.s.Gate.Inject(c.f)
		if err != nil {
			t.Fatal(name, err)
		}
		l.c = l.another() // what was throttled stays closed
		_, err = l.refresh(l.i.Tenant.ID, g.Refresh, scope)
		l.s.Gate.Clear(f.ID)
		if c.want == nil && err != nil || c.want != nil && !c.want(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.c = l.another()
	// A code is sent once: after a lost reply it is gone, and nobody tries it again.
	before := len(l.s.Gate.Seen(gate.Filter{}))
	r := l.code(samAgent)
	f, err := l.s.Gate.Inject(gate.Fault{Service: gate.Login, Kind: gate.Lost, PathPrefix: "/" + l.i.Tenant.ID + "/oauth2/token"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.c.Redeem(t.Context(), r); !transient(err) {
		t.Errorf("a lost redemption: %v", err)
	}
	l.s.Gate.Clear(f.ID)
	tokens := func(from int) (n int) {
		for _, s := range l.s.Gate.Seen(gate.Filter{})[from:] {
			if strings.HasSuffix(s.Path, "/oauth2/token") {
				n++
			}
		}
		return n
	}
	if n := tokens(before); n != 1 {
		t.Errorf("the code was sent %d times", n)
	}
	// A throttle refused it before it was looked at: the code is still good.
	before = len(l.s.Gate.Seen(gate.Filter{}))
	r = l.code(samAgent)
	if f, err = l.s.Gate.Inject(gate.Fault{Service: gate.Login, Kind: gate.Throttle, Times: 2, PathPrefix: "/" + l.i.Tenant.ID + "/oauth2/token"}); err != nil {
		t.Fatal(err)
	}
	g, err = l.c.Redeem(t.Context(), r)
	l.s.Gate.Clear(f.ID)
	if err != nil || g.Refresh.IsZero() {
		t.Errorf("a throttled redemption: %v", err)
	}
	if n := tokens(before); n != 3 {
		t.Errorf("the throttled code was sent %d times, want 3", n)
	}
	// A server's error may come after it was done.
	before = len(l.s.Gate.Seen(gate.Filter{}))
	r = l.code(samAgent)
	if f, err = l.s.Gate.Inject(gate.Fault{Service: gate.Login, Kind: gate.Error503, PathPrefix: "/" + l.i.Tenant.ID + "/oauth2/token"}); err != nil {
		t.Fatal(err)
	}
	_, err = l.c.Redeem(t.Context(), r)
	l.s.Gate.Clear(f.ID)
	if n := tokens(before); !transient(err) || n != 1 {
		t.Errorf("after a 503 the code was sent %d times: %v", n, err)
	}
}

func tokenError(err error) *msapi.TokenError {
	var e *msapi.TokenError
	errors.As(err, &e)
	return e
}

func transient(err error) bool { e := tokenError(err); return e != nil && e.Transient }

// What kills a refresh token comes through with its code, words and step.
func TestRejections(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	rt := l.consent(samAgent).Refresh
	if _, err := l.refresh(l.i.Tenant.ID, rt, l.cloud.GraphResource+"/Nothing.AtAll"); tokenError(err) == nil || tokenError(err).Code != 70011 {
		t.Errorf("a scope that is not: %v", err)
	}
	if _, err := l.s.World.Clock.Jump(95 * 24 * time.Hour); err != nil {
		t.Fatal(err)
	}
	_, err := l.refresh(l.i.Tenant.ID, rt, l.cloud.GraphResource+"/.default")
	e := tokenError(err)
	if e == nil || e.Code != 700082 || e.Err != "invalid_grant" || e.Transient || e.Status != 400 || !strings.Contains(e.Error(), "90 days") ||
		!strings.Contains(problem.HintOf(err), "connect") {
		t.Errorf("after 95 days: %#v", err)
	}
	if strings.Contains(err.Error(), rt.Reveal()) {
		t.Error("the error holds the token")
	}
}

func TestPartnerCenter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	g := l.consent(samAgent)
	p, err := l.c.PartnerCenter(l.cloud, l.i.Tenant.ID, msapi.Fixed(g.Access))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	l.s.World.Read(func(s *world.State) {
		for c := range s.PartnerTenant().Customers.All() {
			want = append(want, c.TenantID)
		}
	})
	walk := func(name string, size int) {
		t.Helper()
		var got []string
		for c, err := range p.Customers(t.Context(), size) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			got = append(got, c.ID)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d customers of %d", name, len(got), len(want))
		}
	}
	walk("one page", 0)
	walk("small pages", 3)
	for _, k := range []gate.Kind{gate.RepeatPage, gate.Throttle, gate.ServerErrors, gate.Cut, gate.Half} {
		f, err := l.s.Gate.Inject(gate.Fault{Service: gate.Center, Kind: k, Share: .3, Times: 5})
		if err != nil {
			t.Fatal(err)
		}
		walk(string(k), 3)
		if hits := l.s.Gate.Faults()[0].Hits; hits == 0 {
			t.Errorf("%s never struck", k)
		}
		l.s.Gate.Clear(f.ID)
	}
	if m, err := p.ValidateMFA(t.Context()); m != msapi.Compliant || err != nil {
		t.Errorf("with MFA: %v %v", m, err)
	}
}

// Without the claim, before and after enforcement: a 401 900421 is an answer,
// asked once.
func TestValidateMFA(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	noMFA := func(r *msapi.AuthorizeRequest) { r.AMR, r.Prompt = "", "" }
	g, err := l.c.Redeem(t.Context(), l.code("nomfa@contoso.com", noMFA))
	if err != nil {
		t.Fatal(err)
	}
	p, err := l.c.PartnerCenter(l.cloud, l.i.Tenant.ID, msapi.Fixed(g.Access))
	if err != nil {
		t.Fatal(err)
	}
	set := func(on bool) {
		l.s.World.Do(func(s *world.State) error {
			now := s.Clock.Now()
			s.Enforcement.API = world.Activation{}
			if on {
				s.Enforcement.API = world.Activation{Announced: now, Contract: now, Reported: now, Ramp: now, Enforced: now}
			}
			return nil
		})
	}
	for _, on := range []bool{false, true, true} {
		set(on)
		before := len(l.s.Gate.Seen(gate.Filter{}))
		if m, err := p.ValidateMFA(t.Context()); m != msapi.NotCompliant || err != nil {
			t.Errorf("enforced %v: %v %v", on, m, err)
		}
		if n := len(l.s.Gate.Seen(gate.Filter{})) - before; n != 1 {
			t.Errorf("enforced %v: asked %d times", on, n)
		}
	}
	for _, err := range p.Customers(t.Context(), 5) {
		var e *msapi.APIError
		if !errors.As(err, &e) || !e.WithoutMFA() || e.Transient || e.Code != "900421" {
			t.Errorf("customers: %v", err)
		}
	}
}

func TestConsentAtPartnerCenter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	g := l.consent(samAgent)
	p, err := l.c.PartnerCenter(l.cloud, l.i.Tenant.ID, msapi.Fixed(g.Access))
	if err != nil {
		t.Fatal(err)
	}
	adatum := l.customer("adatum.example")
	grant := func(grants ...msapi.ConsentGrant) []msapi.ConsentState {
		t.Helper()
		res, err := p.GrantConsent(t.Context(), adatum, panelApp, "Panel", grants)
		if err != nil {
			t.Fatal(err)
		}
		var out []msapi.ConsentState
		for _, r := range res {
			if r.State == msapi.Failed && r.Err == nil {
				t.Error("failed without why")
			}
			out = append(out, r.State)
		}
		return out
	}
	directory := msapi.ConsentGrant{Resource: entra.AppGraph, Scopes: []string{"Directory.Read.All"}}
	arm := msapi.ConsentGrant{Resource: entra.AppARM, Scopes: []string{"user_impersonation"}}
	never := msapi.ConsentGrant{Resource: entra.AppManagementAPIs, Scopes: []string{"ActivityFeed.Read"}}
	none := msapi.ConsentGrant{Resource: entra.AppGraph, Scopes: []string{"No.Such"}}
	for i, c := range []struct {
		remove bool
		grants []msapi.ConsentGrant
		want   []msapi.ConsentState
	}{
		{true, []msapi.ConsentGrant{directory}, []msapi.ConsentState{msapi.Granted}},
		{false, []msapi.ConsentGrant{directory}, []msapi.ConsentState{msapi.Existed}},
		{false, []msapi.ConsentGrant{directory, arm}, []msapi.ConsentState{msapi.Existed, msapi.Granted}},
		{true, []msapi.ConsentGrant{directory, never, arm}, []msapi.ConsentState{msapi.Granted, msapi.Absent, msapi.Granted}},
		{true, []msapi.ConsentGrant{never}, []msapi.ConsentState{msapi.Absent}},
		{false, []msapi.ConsentGrant{none, arm}, []msapi.ConsentState{msapi.Failed, msapi.Granted}},
	} {
		if c.remove {
			if _, err := p.RemoveConsent(t.Context(), adatum, panelApp); err != nil {
				t.Fatal(i, err)
			}
		}
		if got := grant(c.grants...); !slices.Equal(got, c.want) {
			t.Errorf("%d: %v, want %v", i, got, c.want)
		}
	}
	if removed, err := p.RemoveConsent(t.Context(), adatum, panelApp); !removed || err != nil {
		t.Errorf("remove: %v %v", removed, err)
	}
	if removed, err := p.RemoveConsent(t.Context(), adatum, panelApp); removed || err != nil {
		t.Errorf("remove what is gone: %v %v", removed, err)
	}
	// A lost reply: the retry has the same MS-RequestId and is answered the same.
	f, err := l.s.Gate.Inject(gate.Fault{Service: gate.Center, Kind: gate.Lost, Times: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := grant(directory); !slices.Equal(got, []msapi.ConsentState{msapi.Granted}) {
		t.Errorf("after a lost reply: %v", got)
	}
	l.s.Gate.Clear(f.ID)
	// No right there is one error for all.
	if _, err := p.GrantConsent(t.Context(), l.customer("woodgrove.example"), panelApp, "", []msapi.ConsentGrant{directory, arm}); err == nil ||
		!strings.Contains(err.Error(), "900308") {
		t.Errorf("without a role: %v", err)
	}
}

func TestGraph(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	g, err := l.refresh(l.i.Tenant.ID, l.consent(admin).Refresh, l.cloud.GraphResource+"/.default")
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.c.Graph(l.cloud, l.i.Tenant.ID, msapi.Fixed(g.Access))
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	me, err := c.Me(ctx)
	var account struct {
		ID  string `json:"id"`
		UPN string `json:"userPrincipalName"`
	}
	if err != nil || json.Unmarshal(me, &account) != nil || account.UPN != admin {
		t.Fatalf("me: %s %v", me, err)
	}
	if o, err := c.Organization(ctx); err != nil || len(o) != 1 {
		t.Errorf("organization: %d %v", len(o), err)
	}
	if p, err := c.ConditionalAccessPolicies(ctx); err != nil || len(p) < 5 {
		t.Errorf("policies: %d %v", len(p), err)
	}
	if p, err := c.NamedLocations(ctx); err != nil || len(p) < 2 {
		t.Errorf("locations: %d %v", len(p), err)
	}
	if d, err := c.SecurityDefaults(ctx); err != nil || !strings.Contains(string(d), "isEnabled") {
		t.Errorf("security defaults: %s %v", d, err)
	}
	if m, err := c.MemberOf(ctx, account.ID); err != nil || len(m) < 1 {
		t.Errorf("member of: %d %v", len(m), err)
	}
	if u, err := c.User(ctx, admin); err != nil || !strings.Contains(string(u), account.ID) {
		t.Errorf("user: %s %v", u, err)
	}
	app, err := c.Application(ctx, panelApp)
	if err != nil {
		t.Fatal(err)
	}
	creds, err := msapi.AppCredentials(app)
	if err != nil || len(creds) == 0 || creds[0].Kind != msapi.ClientSecret || creds[0].Until.Before(l.s.World.Clock.Now()) {
		t.Errorf("credentials: %v %v", creds, err)
	}
	sp, err := c.ServicePrincipal(ctx, panelApp)
	var object struct {
		ID string `json:"id"`
	}
	if err != nil || json.Unmarshal(sp, &object) != nil {
		t.Fatal(err)
	}
	if grants, err := c.Grants(ctx, object.ID); err != nil || len(grants) < 3 {
		t.Errorf("grants: %d %v", len(grants), err)
	}
	if _, err := c.Application(ctx, "11111111-2222-3333-4444-555555555555"); !errors.Is(err, problem.NotFound) {
		t.Errorf("an app that is not: %v", err)
	}
	n := 0
	for _, err := range c.Items(ctx, "/v1.0/users?$top=5&$select=id") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n < 20 {
		t.Errorf("%d users over pages", n)
	}
}
