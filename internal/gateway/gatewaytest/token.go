package gatewaytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"time"
)

// Who the good tokens are of and for.
const (
	Partner   = "7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21" // the partner's tenant
	Customer  = "2f4c8e60-91d7-4b0e-a1c5-6d8f3b7a2e94" // one of its customers'
	Elsewhere = "9188040d-6c67-4c5b-b112-36a304b66dad" // nobody's of ours

	Audience = "api://panel"
	Client   = "5f1c6a0e-3c3b-4b5a-9d0a-2f0f5b7f6a11" // the app by which users come
	Daemon   = "0b9c7a52-6e1f-4d38-8a70-1c2d3e4f5a6b" // an app that comes alone
	Person   = "c1d9f2a4-5b7e-4c0d-8e4e-6d3b1a2f9c77" // Ada's object id
	Account  = "ada@contoso.example"
	Session  = "00a1b2c3-0000-4000-8000-a1b2c3d4e5f6" // sid
)

// The templates of [Authority.Issuers].
const (
	IssuerV1 = "https://sts.windows.net/{tenantid}/"
	IssuerV2 = "https://login.microsoftonline.com/{tenantid}/v2.0"
)

// Now is the moment at which the good tokens are good: issued five minutes ago, by a
// sign-in of ten minutes ago, and good for another hour.
var Now = time.Unix(1790000000, 0).UTC()

// Issuer is a template's issuer of a tenant.
func Issuer(template, tenant string) string {
	const hole = "{tenantid}"
	for i := 0; i+len(hole) <= len(template); i++ {
		if template[i:i+len(hole)] == hole {
			return template[:i] + tenant + template[i+len(hole):]
		}
	}
	return template
}

// Token is one in the making. What is done to it comes in the order of its fields, and
// the signature is true of all before it.
type Token struct {
	Head, Claims map[string]any
	HeadText     func(string) string // of the JSON
	BodyText     func(string) string
	HeadPart     func(string) string // of the base64
	BodyPart     func(string) string
	Sign         func(input string) []byte // instead of the key's own
	SigPart      func(string) string
	Whole        func(string) string

	key *Key
}

// Edit changes a token in the making.
type Edit func(*Token)

// Set puts a claim; v may be a json.RawMessage.
func Set(name string, v any) Edit { return func(t *Token) { t.Claims[name] = v } }

// Drop takes claims away.
func Drop(names ...string) Edit {
	return func(t *Token) {
		for _, n := range names {
			delete(t.Claims, n)
		}
	}
}

// Head puts a member of the header.
func Head(name string, v any) Edit { return func(t *Token) { t.Head[name] = v } }

// Times moves all of a token's moments.
func Times(by time.Duration) Edit {
	return func(t *Token) {
		for _, name := range []string{"iat", "nbf", "exp", "auth_time"} {
			if at, ok := t.Claims[name].(int64); ok {
				t.Claims[name] = at + int64(by/time.Second)
			}
		}
	}
}

// By signs with a key, and names it.
func By(k *Key) Edit {
	return func(t *Token) { t.key, t.Head["kid"], t.Head["alg"] = k, k.ID, k.Algorithm }
}

// ForgedBy signs with a key, and still names the one that was named before.
func ForgedBy(k *Key) Edit { return func(t *Token) { t.key = k } }

// V1 gives the claims of a user's version 1 token of a tenant: of an MFA by password and
// authenticator.
func V1(tenant string) map[string]any {
	at := Now.Unix()
	return map[string]any{
		"aud": Audience, "iss": Issuer(IssuerV1, tenant), "iat": at - 300, "nbf": at - 300, "exp": at + 3600, "acr": "1", "aio": "AXQAi/8TAAAA",
		"amr": []string{"pwd", "mfa"}, "appid": Client, "appidacr": "0", "auth_time": at - 600, "family_name": "Lovelace", "given_name": "Ada",
		"ipaddr": "203.0.113.7", "name": "Ada Lovelace", "oid": Person, "puid": "10032000A1B2C3D4", "rh": "0.AXEA.", "scp": "panel.read panel.write",
		"sid": Session, "sub": "pairwise", "tenant_region_scope": "EU", "tid": tenant, "unique_name": Account, "upn": Account,
		"uti": "uti-1", "ver": "1.0", "wids": []string{"62e90394-69f5-4237-9190-012177145e10"}, "xms_cc": []string{"cp1"},
	}
}

// V2 gives those of a version 2 token: it has no amr, as the optional claims were left.
func V2(tenant string) map[string]any {
	at := Now.Unix()
	return map[string]any{
		"aud": Client, "iss": Issuer(IssuerV2, tenant), "iat": at - 300, "nbf": at - 300, "exp": at + 3600, "aio": "AXQAi/8TAAAA", "azp": Client, "azpacr": "1",
		"name": "Ada Lovelace", "oid": Person, "preferred_username": Account, "rh": "0.AXEA.", "scp": "panel.read", "sid": Session, "sub": "pairwise",
		"tid": tenant, "uti": "uti-2", "ver": "2.0",
	}
}

// AppOnly gives those of an app that comes alone.
func AppOnly(tenant string) map[string]any {
	at := Now.Unix()
	return map[string]any{
		"aud": Audience, "iss": Issuer(IssuerV1, tenant), "iat": at - 300, "nbf": at - 300, "exp": at + 3600, "aio": "E2Zg", "appid": Daemon, "appidacr": "2",
		"idp": Issuer(IssuerV1, tenant), "idtyp": "app", "oid": "6a7b8c9d-0e1f-4a2b-8c3d-4e5f60718293", "rh": "0.AXEA.", "roles": []string{"Panel.Run"},
		"sub": "6a7b8c9d-0e1f-4a2b-8c3d-4e5f60718293", "tid": tenant, "uti": "uti-3", "ver": "1.0",
	}
}

// AOBO gives those of the partner's person acting in a customer's tenant.
func AOBO(customer string) map[string]any {
	c := V1(customer)
	c["idp"] = Issuer(IssuerV1, Partner)
	c["unique_name"], c["upn"] = "user_c1d9f2a45b7e4c0d8e4e6d3b1a2f9c77@customer.example", "user_c1d9f2a45b7e4c0d8e4e6d3b1a2f9c77@customer.example"
	return c
}

// Mint makes a token of these claims, signed by the authority's newest key; edits change
// it before. The claims are not changed.
func (a *Authority) Mint(claims map[string]any, edits ...Edit) string {
	k := a.Newest()
	t := &Token{Head: map[string]any{"typ": "JWT", "alg": k.Algorithm, "kid": k.ID, "x5t": k.ID}, Claims: maps.Clone(claims), key: k}
	for _, e := range edits {
		e(t)
	}
	return t.build()
}

// Good is a user's version 1 token of the partner's tenant with MFA, changed by edits.
func (a *Authority) Good(edits ...Edit) string { return a.Mint(V1(Partner), edits...) }

func (t *Token) build() string {
	apply := func(change func(string) string, s string) string {
		if change == nil {
			return s
		}
		return change(s)
	}
	h, err := json.Marshal(t.Head)
	b, berr := json.Marshal(t.Claims)
	if err != nil || berr != nil {
		panic(fmt.Sprint(err, berr))
	}
	head := apply(t.HeadPart, B64([]byte(apply(t.HeadText, string(h)))))
	body := apply(t.BodyPart, B64([]byte(apply(t.BodyText, string(b)))))
	input := head + "." + body
	sign := t.Sign
	if sign == nil {
		sign = t.key.Sign
	}
	return apply(t.Whole, input+"."+apply(t.SigPart, B64(sign(input))))
}

// B64 is base64url without padding.
func B64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Key signs.
type Key struct {
	ID        string
	Algorithm string // RS256, PS256 or ES256
	Private   crypto.Signer
}

// Sign signs as the key's algorithm does.
func (k *Key) Sign(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	var sig []byte
	var err error
	switch p := k.Private.(type) {
	case *ecdsa.PrivateKey:
		r, s, e := ecdsa.Sign(rand.Reader, p, sum[:])
		if err = e; err == nil {
			sig = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
		}
	case *rsa.PrivateKey:
		if k.Algorithm == "PS256" {
			sig, err = rsa.SignPSS(rand.Reader, p, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			sig, err = rsa.SignPKCS1v15(nil, p, crypto.SHA256, sum[:])
		}
	}
	if err != nil {
		panic(err)
	}
	return sig
}
