package assert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/gateway"
	"partnerguard/internal/problem"
)

// Type is the assertion's typ, so that it is taken for no other kind of token.
const Type = "partnerguard+jwt"

// The assertion's life, and how old one may be that is told again.
const (
	life  = 2 * time.Minute
	reuse = time.Minute
)

// Deps is what an Asserter is made of.
type Deps struct {
	Key    crypto.Signer // ECDSA on P-256; nil: headers alone, without an assertion
	Issuer string        // of assertions: https://HOST; "" is the host that was asked
	Now    func() time.Time
	Log    *slog.Logger // of signatures that failed; nil is none
}

// Asserter writes what an upstream is told. It is safe for concurrent use.
type Asserter struct {
	deps  Deps
	head  string // of assertions, encoded, with its point; "" without a key
	keys  []byte
	cache cache
}

// New makes one. Kind BadInput when the key is of another kind.
func New(d Deps) (*Asserter, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	a := &Asserter{deps: d, cache: newCache()}
	if d.Key == nil {
		return a, nil
	}
	pub, ok := d.Key.Public().(*ecdsa.PublicKey)
	if !ok || pub.Curve != elliptic.P256() {
		return nil, problem.New(problem.BadInput, "the key of assertions is not ECDSA on P-256").WithHint("have the gateway make a new one")
	}
	jwk := jose.JSONWebKey{Key: pub, Algorithm: string(jose.ES256), Use: "sig"}
	print, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the key of assertions has no thumbprint")
	}
	jwk.KeyID = encode(print)
	if a.keys, err = json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{jwk}}); err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the key of assertions cannot be published")
	}
	a.head = encode([]byte(`{"alg":"ES256","kid":"`+jwk.KeyID+`","typ":"`+Type+`"}`)) + "."
	return a, nil
}

// KeySet is the JWK set by which upstreams check assertions, as it is served at
// /.partnerguard/keys; nil without a key.
func (a *Asserter) KeySet() []byte { return a.keys }

// Headers appends the headers of a request that is served, name and value in turn. Who is
// not proven ([gateway.Decision.Told]) has none of those that tell an identity. upstream
// is the origin that it goes to, the assertion's audience. It signs nothing where the same
// identity came within a minute. A signature that fails leaves the assertion away: an
// upstream that checks refuses then.
func (a *Asserter) Headers(dst [][2]string, d *gateway.Decision, r *gateway.Request, upstream string) [][2]string {
	if d.Route != nil {
		dst = append(dst, [2]string{HeaderRoute, d.Route.Name})
	}
	dst = append(dst, [2]string{HeaderRequest, r.ID}, [2]string{"X-Request-Id", r.ID},
		[2]string{"X-Forwarded-Host", r.Host}, [2]string{"X-Forwarded-Proto", scheme(r)})
	if r.Remote.IsValid() {
		dst = append(dst, [2]string{"X-Forwarded-For", r.Remote.Unmap().WithZone("").String()})
	}
	if e := a.told(d, r, upstream); e != nil {
		dst = append(dst, e.told...)
	}
	return dst
}

// Lines is [Asserter.Headers] as lines of a head, each with its CR LF.
func (a *Asserter) Lines(dst []byte, d *gateway.Decision, r *gateway.Request, upstream string) []byte {
	if d.Route != nil {
		dst = line(dst, HeaderRoute+": ", d.Route.Name)
	}
	dst = line(line(dst, HeaderRequest+": ", r.ID), "X-Request-Id: ", r.ID)
	dst = line(line(dst, "X-Forwarded-Host: ", r.Host), "X-Forwarded-Proto: ", scheme(r))
	if r.Remote.IsValid() {
		dst = r.Remote.Unmap().WithZone("").AppendTo(append(dst, "X-Forwarded-For: "...))
		dst = append(dst, '\r', '\n')
	}
	if e := a.told(d, r, upstream); e != nil {
		dst = append(dst, e.lines...)
	}
	return dst
}

func scheme(r *gateway.Request) string {
	if r.TLS {
		return "https"
	}
	return "http"
}

// told gives what is told of an identity; nil where there is none to tell.
func (a *Asserter) told(d *gateway.Decision, r *gateway.Request, upstream string) *entry {
	id := d.Told()
	if id == nil {
		return nil
	}
	k := key{id: id, route: d.Route, upstream: upstream, issuer: a.deps.Issuer}
	if k.issuer == "" {
		k.host, k.tls = r.Host, r.TLS
	}
	now := a.deps.Now()
	if e := a.cache.get(k, now); e != nil {
		return e
	}
	issuer := k.issuer
	if issuer == "" {
		issuer = scheme(r) + "://" + strings.ToLower(r.Host)
	}
	k.host = strings.Clone(k.host) // a request's texts are of its connection's buffer
	e := &entry{key: k, made: now}
	f := factsOf(k, issuer, now)
	e.told = f.headers()
	token, err := a.sign(&f)
	if err != nil {
		a.deps.Log.Error("an assertion could not be signed", "route", f.Route, "error", err)
	} else if token != "" {
		e.told = append(e.told, [2]string{HeaderAssertion, token})
	}
	for _, kv := range e.told {
		e.lines = line(e.lines, kv[0]+": ", kv[1])
	}
	if err == nil {
		a.cache.put(e)
	}
	return e
}

// sign makes the assertion (RFC 7515 section 3.1, RFC 7518 section 3.4); "" without a key.
func (a *Asserter) sign(f *facts) (string, error) {
	if a.head == "" {
		return "", nil
	}
	payload, err := json.Marshal(f)
	if err != nil {
		return "", err
	}
	out := make([]byte, 0, len(a.head)+base64.RawURLEncoding.EncodedLen(len(payload))+1+base64.RawURLEncoding.EncodedLen(2*half))
	out = base64.RawURLEncoding.AppendEncode(append(out, a.head...), payload)
	sum := sha256.Sum256(out)
	der, err := a.deps.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return "", err
	}
	var sig [2 * half]byte
	if err := flat(&sig, der); err != nil {
		return "", err
	}
	return string(base64.RawURLEncoding.AppendEncode(append(out, '.'), sig[:])), nil
}

// half is the size of one of the two numbers of a signature on P-256.
const half = 32

// flat writes the two numbers of a signature in DER one after the other.
func flat(sig *[2 * half]byte, der []byte) error {
	var both struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &both)
	if err != nil {
		return err
	}
	if len(rest) > 0 || both.R.Sign() <= 0 || both.S.Sign() <= 0 || both.R.BitLen() > 8*half || both.S.BitLen() > 8*half {
		return problem.New(problem.Internal, "the key of assertions signed in another form")
	}
	both.R.FillBytes(sig[:half])
	both.S.FillBytes(sig[half:])
	return nil
}

// facts are the claims of an assertion, of which the headers are a part.
type facts struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Subject  string `json:"sub"` // oid, or sub where there is none
	IssuedAt int64  `json:"iat"`
	From     int64  `json:"nbf"`
	Until    int64  `json:"exp"`

	Route     string   `json:"route"`
	Tenant    string   `json:"tid"`
	ObjectID  string   `json:"oid,omitempty"`
	User      string   `json:"upn,omitempty"`
	App       string   `json:"azp,omitempty"`
	AppOnly   bool     `json:"app_only"`
	MFA       string   `json:"mfa"` // true, false, unknown
	AMR       []string `json:"amr,omitempty"`
	Contexts  []string `json:"acrs,omitempty"`
	AuthTime  int64    `json:"auth_time,omitempty"`
	Home      string   `json:"home_tid,omitempty"`
	Customer  string   `json:"customer,omitempty"`
	Roles     []string `json:"roles,omitempty"`
	Wids      []string `json:"wids,omitempty"`
	Groups    []string `json:"groups,omitempty"`
	Elsewhere bool     `json:"groups_elsewhere,omitempty"`
	Scopes    []string `json:"scp,omitempty"`
}

func factsOf(k key, issuer string, now time.Time) facts {
	id := k.id
	f := facts{
		Issuer: issuer, Audience: k.upstream, Subject: id.ObjectID, IssuedAt: now.Unix(), From: now.Unix(), Until: now.Add(life).Unix(),
		Route: k.route.Name, Tenant: id.Tenant, ObjectID: id.ObjectID, User: id.Account, App: id.App, AppOnly: id.IsApp, MFA: proof(id),
		AMR: id.AMR, Contexts: id.Contexts, AuthTime: id.AuthTime, Home: id.Home, Roles: id.Roles, Wids: id.Wids, Groups: id.Groups,
		Elsewhere: id.GroupsElsewhere, Scopes: id.Scopes,
	}
	if f.Subject == "" {
		f.Subject = id.Subject
	}
	if id.Home != "" && !slices.Contains(k.route.Tenants, id.Tenant) && slices.Contains(k.route.Tenants, id.Home) {
		f.Customer = id.Tenant
	}
	if id.IsApp {
		f.User = ""
	}
	if id.NotAfter > 0 { // within the leeway a token may be past its end
		f.Until = max(min(f.Until, id.NotAfter), now.Unix()+1)
	}
	return f
}

// proof says whether MFA is proven. For an app nobody gave a second factor: false.
func proof(id *gateway.Identity) string {
	switch {
	case id.Proven:
		return "true"
	case id.Lacks == gateway.VersionHides:
		return "unknown"
	}
	return "false"
}

func (f *facts) headers() [][2]string {
	out := make([][2]string, 0, 13)
	set := func(name, value string) {
		if value != "" {
			out = append(out, [2]string{name, value})
		}
	}
	set(HeaderUser, plain(f.User))
	set(HeaderObjectID, plain(f.ObjectID))
	set(HeaderTenant, plain(f.Tenant))
	set(HeaderApp, plain(f.App))
	set(HeaderMFA, f.MFA)
	if f.AuthTime > 0 {
		set(HeaderAuthTime, strconv.FormatInt(f.AuthTime, 10))
	}
	set(HeaderHome, plain(f.Home))
	set(HeaderCustomer, plain(f.Customer))
	set(HeaderRoles, join(f.Roles))
	set(HeaderWids, join(f.Wids))
	groups := join(f.Groups)
	set(HeaderGroups, groups)
	if f.Elsewhere || groups == "" && len(f.Groups) > 0 {
		set(HeaderElsewhere, "true")
	}
	return out
}
