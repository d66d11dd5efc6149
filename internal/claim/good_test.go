package claim_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"partnerguard/internal/claim"
	"partnerguard/internal/secret"
)

// good is a token that looks odd and is right.
type good struct {
	name, why string
	claims    string // JSON without the braces; times and audience are added where they are missing
	issuer    string // "" is decided by the rule for Entra ID's tenants
	key, alg  string // "" is rsa, RS256
	head      map[string]any
	expect    func(*claim.Expect)
	check     func(claim.Token) bool // nil: that it is taken is enough
}

const (
	v1Base = `"iss":"` + sts + tid + `/","tid":"` + tid + `","ver":"1.0","oid":"` + person + `","sub":"pairwise","appid":"` + client + `","appidacr":"1"`
	v2Base = `"iss":"` + login + tid + `/v2.0","tid":"` + tid + `","ver":"2.0","oid":"` + person + `","sub":"pairwise","azp":"` + client + `","azpacr":"2"`
)

var entraGood = []good{
	{name: "a delegated token of Partner Center", why: "the form of version 1, with names that only Microsoft knows",
		claims: v1Base + `,"acr":"1","acrs":["p1","c1"],"aio":"AXQAi/8TAAAA","amr":["pwd","rsa","mfa"],` +
			`"deviceid":"0d4e9c59-2f28-4cd6-a5dd-8c0a1a5e3f0c","family_name":"Lovelace",` +
			`"given_name":"Ada","idtyp":"user","ipaddr":"2001:db8::7","name":"Ada Lovelace","onprem_sid":"S-1-5-21-1-2-3-1001","puid":"10032000A1B2C3D4",` +
			`"rh":"0.AXEA.","scp":"user_impersonation",` +
			`"sid":"00a1b2c3-0000-4000-8000-a1b2c3d4e5f6","signin_state":["kmsi","dvc_mngd"],"tenant_region_scope":"EU","unique_name":"ada@contoso.com",` +
			`"upn":"ada@contoso.com","uti":"x",` +
			`"wids":["62e90394-69f5-4237-9190-012177145e10"],"xms_ftd":"x","xms_idrel":"1 26","xms_st":{"sub":"x"},"xms_tcdt":1580000000,"xms_cc":["cp1"]`,
		check: func(t claim.Token) bool { return t.MFA(claim.Options{}).Answer == claim.Proven && t.App == client }},
	{name: "for continuous access, 28 hours", why: "with the capability cp1 Entra ID gives tokens of up to 28 hours and takes them back early by a challenge",
		claims: v1Base + `,"scp":"a","xms_cc":["cp1"],"exp":1790100200`},
	{name: "an app's own", why: "without a user there is no scp, amr or upn, and roles says what it may",
		claims: v2Base + `,"roles":["AuditLog.Read.All","User.Read.All"],"idtyp":"app"`, check: func(t claim.Token) bool { return t.IsApp }},
	{name: "a guest's of another tenant", why: "idp says where the guest signed in, and tid stays the tenant that issued it",
		claims: v1Base + `,"email":"grace@fabrikam.example","idp":"` + sts + elsewhat + `/","unique_name":"grace@fabrikam.example","scp":"user_impersonation"`},
	{name: "a personal account's guest", why: "a # is how Entra ID writes such an account",
		claims: v1Base + `,"idp":"live.com","altsecid":"1:live.com:0001","unique_name":"live.com#grace@outlook.example","scp":"a"`},
	{name: "a guest's account name", why: "#EXT# is part of a guest's upn",
		claims: v1Base + `,"upn":"grace_fabrikam.example#EXT#@contoso.onmicrosoft.com","scp":"a"`},
	{name: "of a personal account", why: "their tenant is a GUID like others, and an oid with zeros is one too",
		claims: `"iss":"` + login + elsewhat + `/v2.0","tid":"` + elsewhat + `","ver":"2.0","oid":"00000000-0000-0000-66f3-3332eca7ea81",` +
			`"sub":"AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ","preferred_username":"grace@outlook.example"`},
	{name: "a managed identity's", why: "xms_mirid is a long path, and appidacr is 2",
		claims: v1Base + `,"idtyp":"app","xms_mirid":"/subscriptions/` + person +
			`/resourcegroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/` + strings.Repeat("x", 128) + `"`},
	{name: "too many groups", why: "past 200 groups Entra ID writes where to ask instead of the list",
		claims: v2Base + `,"hasgroups":true,"_claim_names":{"groups":"src1"},` +
			`"_claim_sources":{"src1":{"endpoint":"https://graph.microsoft.com/v1.0/users/x/getMemberObjects"}}`},
	{name: "200 groups", why: "that many still fit", claims: v2Base + `,"groups":["` + strings.Repeat(person+`","`, 199) + person + `"]`},
	{name: "groups by their names on premises", why: "an app may ask for DOMAIN\\name, and a name may be in Persian",
		claims: v2Base + `,"groups":["CONTOSO\\Domain Users","می\u200cخواهم"]`},
	{name: "without nbf, iat, aio and ver", why: "only exp is required; a claim that is absent is normal",
		claims: `"iss":"` + sts + tid + `/","tid":"` + tid + `","sub":"s","nbf":null,"iat":null,"ver":null`},
	{name: "times with a fraction", why: "NumericDate may have one (RFC 7519 section 2)",
		claims: v1Base + `,"exp":1790000600.0,"iat":1789999700.25,"nbf":1.7899997e9,"auth_time":1789999000.5`,
		check:  func(t claim.Token) bool { return t.MFA(claim.Options{Now: now}).Age == 999500*time.Millisecond }},
	{name: "scopes of many APIs", why: "scp is one text, blanks between",
		claims: v1Base + `,"scp":"Application.Read.All AuditLog.Read.All Directory.AccessAsUser.All email openid profile https://x.example/.default"`},
	{name: "a GUID in capitals", why: "an oid is compared without case", claims: strings.Replace(v1Base, person, strings.ToUpper(person), 1)},
	{name: "signed by a key of its kid with x5t beside it", why: "Entra ID names the key twice", claims: v1Base,
		head: map[string]any{"x5t": "HlC0R12skxNZ1WQwmjOF_6t_tDE"}},
	{name: "a nonce in its header", why: "Graph's own tokens have one; it is no member that changes the meaning of the rest", claims: v1Base,
		head: map[string]any{"nonce": "x"}},
	{name: "typ at+jwt", why: "RFC 9068 names access tokens so", claims: v2Base, head: map[string]any{"typ": "at+jwt"}},
	{name: "typ application/at+jwt", why: "RFC 7515 section 4.1.9 lets application/ be written", claims: v2Base,
		head: map[string]any{"typ": "application/AT+JWT"}},
	{name: "no typ", why: "typ is optional (RFC 7519 section 5.1)", claims: v2Base, head: map[string]any{"typ": nil}},
	{name: "aud a list of one", why: "RFC 7519 section 4.1.3 allows both forms", claims: v2Base + `,"aud":["` + us + `"]`},
	{name: "exp a second off, with leeway", why: "clocks differ", claims: v1Base + `,"exp":1789999941`,
		expect: func(e *claim.Expect) { e.Leeway = time.Minute }},
}

var namesGood = []good{
	{name: "a name with an emoji family", why: "an emoji of a family is held together by joiners", claims: v1Base + `,"name":"Ada 👨\u200d👩\u200d👧 Lovelace"`},
	{name: "a name in Persian", why: "Persian needs the non-joiner within words", claims: v1Base + `,"name":"علی\u200cرضا رضایی","given_name":"علی\u200cرضا"`},
	{name: "a name in Hebrew", why: "right-to-left letters are no override, and a mark of direction beside digits is usual",
		claims: v1Base + `,"name":"דוד בן־גוריון 2\u200f","family_name":"בן־גוריון"`},
	{name: "a name in Arabic with marks", why: "vowel marks are characters of their own", claims: v1Base + `,"name":"مُحَمَّد\u061c عَلِيّ"`},
	{name: "a name in Sinhala and one in Kannada", why: "their conjuncts need the joiner", claims: v1Base + `,"name":"ශ්\u200dරී ಕನ್ನಡ ಸರ್\u200dವ"`},
	{name: "a name in Chinese with a rare letter", why: "letters beyond 16 bits are pairs of escapes in JSON", claims: v1Base + `,"name":"\ud842\udfb7田 𠮷"`},
	{name: "a flag of Scotland", why: "it is written with invisible tag letters",
		claims: v1Base + `,"name":"Ada 🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"`},
	{name: "an escaped name of a claim", why: "escapes are another writing of the same text, once",
		claims: strings.Replace(v1Base, `"sub":"pairwise"`, `"s\u0075b":"pair\u0077ise"`, 1)},
	{name: "names as long as they come", why: "256 letters of three bytes are under the limit", claims: v1Base + `,"name":"` + strings.Repeat("ア",
		256) + `"`},
	{name: "an international mail address", why: "RFC 6531 allows other letters before the @", claims: v1Base + `,"email":"用户@例え.example"`},
	{name: "an empty name", why: "Entra ID writes none where the directory has none", claims: v1Base + `,"name":"","given_name":null`},
}

var othersGood = []good{
	{name: "GitHub Actions", why: "numbers are texts, and the subject holds slashes and colons", issuer: actions,
		claims: `"iss":"` + actions + `","jti":"example-id","sub":"repo:contoso/infra:environment:prod","environment":"prod","ref":"refs/heads/main",` +
			`"sha":"example-sha","repository":"contoso/infra","repository_owner":"contoso",` +
			`"actor_id":"12","repository_visibility":"private","repository_id":"74","repository_owner_id":"65","run_id":"example-run-id",` +
			`"run_number":"10","run_attempt":"2","runner_environment":"github-hosted","actor":"octocat",` +
			`"workflow":"example-workflow","head_ref":"","base_ref":"","event_name":"workflow_dispatch","ref_type":"branch",` +
			`"job_workflow_ref":"contoso/automation/.github/workflows/oidc.yml@refs/heads/main"`,
		head: map[string]any{"x5t": "example-thumbprint"}},
	{name: "GitHub Actions with a subject of our own", why: "an organisation may put any claims into sub, and it gets long", issuer: actions,
		claims: `"iss":"` + actions + `","sub":"repo:contoso/infra:context:ref:refs/heads/` + strings.Repeat("b",
			255) + `:job_workflow_ref:contoso/x/.github/workflows/x.yml@refs/heads/` + strings.Repeat("b", 255) + `"`},
	{name: "Kubernetes", why: "its claims are nested, there is no typ, and aud is a list", issuer: "https://kubernetes.default.svc.cluster.local",
		head: map[string]any{"typ": nil},
		claims: `"aud":["` + us + `"],"iss":"https://kubernetes.default.svc.cluster.local","jti":"d53c9ed8-6b8c-4b9f-8a0e-2f0d6a1f2d3c",` +
			`"kubernetes.io":{"namespace":"billing","node":{"name":"node-1","uid":"646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1"},` +
			`"pod":{"name":"billing-7f9","uid":"5e0bd49b-f040-43b0-99b7-22765a53f7f3"},"serviceaccount":{"name":"billing",` +
			`"uid":"14ee3fa4-a7e2-420f-9f9a-dbc4507c3798"},"warnafter":1790003307},"sub":"system:serviceaccount:billing:billing"`},
	{name: "Kubernetes, a week", why: "a workload may ask for a week; the caller may say that it takes that", issuer: "https://kubernetes.default.svc",
		claims: `"iss":"https://kubernetes.default.svc","sub":"system:serviceaccount:a:b","exp":1790604500`,
		expect: func(e *claim.Expect) { e.Lifetime = 7 * 24 * time.Hour }},
	{name: "AKS", why: "its issuer ends in a GUID and a slash and is none of Entra ID's",
		issuer: "https://westeurope.oic.prod-aks.azure.com/" + tid + "/" + person + "/",
		claims: `"iss":"https://westeurope.oic.prod-aks.azure.com/` + tid + `/` + person + `/","sub":"system:serviceaccount:a:b",` +
			`"kubernetes.io":{"namespace":"a"}`},
	{name: "EKS", why: "its issuer ends in 32 hexadecimal digits", issuer: "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E",
		claims: `"iss":"https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E","sub":"system:serviceaccount:a:b"`},
	{name: "Azure DevOps", why: "its issuer ends in a GUID without a slash", issuer: "https://vstoken.dev.azure.com/" + tid,
		claims: `"iss":"https://vstoken.dev.azure.com/` + tid + `","jti":"x","sub":"sc://contoso/infra/production"`},
	{name: "GitLab", why: "user claims are texts and lists beside one another, runner_id is a number", issuer: "https://gitlab.com",
		claims: `"iss":"https://gitlab.com","jti":"63ab75f4-2606-4f0e-a500-86f90ab13a85","namespace_id":"1","namespace_path":"contoso",` +
			`"project_id":"28","project_path":"contoso/infra","user_id":"1","user_login":"ada","user_email":"ada@contoso.com",` +
			`"user_access_level":"owner","user_identities":[{"provider":"github","extern_uid":"2"}],"groups_direct":["contoso/ops"],"pipeline_id":"455",` +
			`"ref":"main","ref_type":"branch","ref_protected":"true","runner_id":1,"sub":"project_path:contoso/infra:ref_type:branch:ref:main"`},
	{name: "Google", why: "sub is digits as a text, email_verified is a yes, google is nested", issuer: "https://accounts.google.com",
		claims: `"iss":"https://accounts.google.com","azp":"117","email":"billing@contoso.iam.gserviceaccount.com","email_verified":true,` +
			`"google":{"compute_engine":{"instance_id":"1","project_number":7}},"sub":"117362938475647382910"`},
	{name: "AWS", why: "a claim is called by an address, and the subject is an ARN", issuer: "https://" + tid + ".tokens.sts.global.api.aws",
		key: "p384", alg: "ES384",
		claims: `"iss":"https://` + tid + `.tokens.sts.global.api.aws","sub":"arn:aws:iam::123456789012:role/billing","jti":"x",` +
			`"https://sts.amazonaws.com/":{"aws_account":"123456789012","source_region":"eu-west-1","principal_tags":{"team":"ops"}}`},
	{name: "SPIFFE", why: "the subject is an address and iat is not required", issuer: "https://spire.contoso.com", key: "p256", alg: "ES256",
		claims: `"iss":"https://spire.contoso.com","sub":"spiffe://contoso.com/billing","iat":null,"nbf":null`},
	{name: "Okta, who signed in", why: "ver is the number 1 there, and idp a name of its own", issuer: "https://contoso.okta.com",
		claims: `"iss":"https://contoso.okta.com","ver":1,"sub":"00uid4BxXw6I6TV4m0g3","idp":"00ok1u7AsAkrwdZL3z0g3","amr":["pwd","mfa"],` +
			`"auth_time":1789999000,"name":"Ada","email":"ada@contoso.com","at_hash":"x"`},
	{name: "B2C", why: "its ver is 1.0 under an issuer that ends in v2.0 and a slash", issuer: "https://contoso.b2clogin.com/" + tid + "/v2.0/",
		claims: `"iss":"https://contoso.b2clogin.com/` + tid + `/v2.0/","ver":"1.0","tfp":"B2C_1_signin","sub":"` + person + `","emails":["ada@contoso.com"]`},
	{name: "an external tenant", why: "ciamlogin.com is Entra ID's form on another host", issuer: "https://" + tid + ".ciamlogin.com/" + tid + "/v2.0",
		claims: `"iss":"https://` + tid + `.ciamlogin.com/` + tid + `/v2.0","tid":"` + tid + `","ver":"2.0","sub":"x"`},
	{name: "AD FS", why: "auth_time is a date in words there; it is read and its age is not known", issuer: "https://adfs.contoso.com/adfs",
		claims: `"iss":"https://adfs.contoso.com/adfs","ver":"1.0","sub":"x","upn":"ada@contoso.com","scp":"openid",` +
			`"auth_time":"2026-09-21T08:00:00.123Z","apptype":"Confidential"`,
		check: func(t claim.Token) bool { return t.MFA(claim.Options{Now: now}).Age == claim.UnknownAge }},
	{name: "Keycloak", why: "roles are nested, and typ is a claim too", issuer: "https://sso.contoso.com/realms/ops",
		claims: `"iss":"https://sso.contoso.com/realms/ops","typ":"Bearer","azp":"billing","acr":"1","realm_access":{"roles":["a"]},` +
			`"resource_access":{"account":{"roles":["b"]}},"scope":"openid profile","sub":"` + person + `","address":{"formatted":"Street 1\nCity"}`},
	{name: "CircleCI", why: "names of claims with dots and slashes", issuer: "https://oidc.circleci.com/org/" + person,
		claims: `"iss":"https://oidc.circleci.com/org/` + person + `","oidc.circleci.com/project-id":"` + tid + `",` +
			`"oidc.circleci.com/context-ids":["` + tid + `"],"sub":"org/x/project/y/user/z"`},
	{name: "PS256", why: "its salt is as long as its hash", issuer: "https://issuer.example", key: "rsa", alg: "PS256",
		claims: `"iss":"https://issuer.example","sub":"x"`},
	{name: "ES512", why: "521 bits are 66 bytes", issuer: "https://issuer.example", key: "p521", alg: "ES512",
		claims: `"iss":"https://issuer.example","sub":"x"`},
	{name: "an issuer of one name", why: "StringOrURI may be any text without a colon", issuer: "kubernetes/serviceaccount",
		claims: `"iss":"kubernetes/serviceaccount","sub":"x"`},
	{name: "nearly 64 KiB", why: "that much is read", issuer: "https://issuer.example",
		claims: `"iss":"https://issuer.example","sub":"x","x":"` + strings.Repeat("x", 47000) + `"`},
	{name: "sixteen levels", why: "that deep is read", issuer: "https://issuer.example",
		claims: `"iss":"https://issuer.example","sub":"x","x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15)},
}

// TestGoodTokens: what looks odd and is right is taken.
func TestGoodTokens(t *testing.T) {
	t.Parallel()
	var all []good
	for _, list := range [][]good{entraGood, namesGood, othersGood} {
		all = append(all, list...)
	}
	if len(all) < 15 {
		t.Fatal(len(all))
	}
	for _, g := range all {
		text := "{" + strings.NewReplacer(`\U000e00`, `\udb40\udc`).Replace(g.claims) + "}"
		var claims map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &claims); err != nil || g.why == "" {
			t.Fatalf("%s: %v", g.name, err)
		}
		for name, v := range map[string]string{"aud": `"` + us + `"`, "exp": "1790000600", "nbf": "1789999700", "iat": "1789999700"} {
			if _, there := claims[name]; !there {
				text = strings.TrimSuffix(text, "}") + `,"` + name + `":` + v + "}"
			}
		}
		key, alg := g.key, g.alg
		if key == "" {
			key, alg = "rsa", "RS256"
		}
		f := &forged{t: t, head: map[string]any{"typ": "JWT"}, bodyText: func(string) string { return text }}
		signedBy(key, alg)(f)
		for name, v := range g.head {
			if f.head[name] = v; v == nil {
				delete(f.head, name)
			}
		}
		e := claim.Expect{Now: now, Audiences: []string{us}, Issuer: g.issuer}
		if g.issuer == "" {
			e.IssuerRule = claim.TenantIssuer(sts+"{tenantid}/", login+"{tenantid}/v2.0")
		}
		if g.expect != nil {
			g.expect(&e)
		}
		tok, err := claim.Verify(secret.New(f.build()), keys().set, e)
		if err != nil {
			t.Errorf("%s: %v, though %s", g.name, err, g.why)
		} else if g.check != nil && !g.check(tok) {
			t.Errorf("%s: read as %+v", g.name, tok)
		}
	}
}

// TestLifetime: whatever the caller takes, ten years are too long, and the
// caller cannot take more than the firm bound.
func TestLifetime(t *testing.T) {
	t.Parallel()
	at := func(iat, exp int64, e claim.Expect) error {
		r := recipe{profile: "work", do: all(put("iat", iat), put("nbf", iat), put("exp", exp))}
		_, err := claim.Verify(secret.New(r.forge(t)), keys().set, e)
		return err
	}
	day := int64(86400)
	for _, c := range []struct {
		life, takes time.Duration
		ok          bool
	}{
		{28 * time.Hour, 0, true}, {48 * time.Hour, 0, true}, {48*time.Hour + time.Second, 0, false}, {time.Hour, time.Hour, true},
		{time.Hour + time.Second, time.Hour, false},
		{claim.LongestLifetime, claim.LongestLifetime, true}, {claim.LongestLifetime + time.Second, claim.LongestLifetime, false}, {3650 * 24 * time.Hour,
			claim.LongestLifetime, false},
	} {
		e := profiles["work"].expect()
		e.Lifetime = c.takes
		if err := at(now.Unix(), now.Add(c.life).Unix(), e); (err == nil) != c.ok || err != nil && !errors.Is(err, claim.BadClaim) {
			t.Errorf("%s where %s is taken: %v", c.life, c.takes, err)
		}
	}
	e := profiles["work"].expect()
	if err := at(now.Unix()-3650*day, now.Unix()+60, e); !errors.Is(err, claim.BadClaim) {
		t.Errorf("the last minute of ten years: %v", err)
	}
	for _, takes := range []time.Duration{-1, claim.LongestLifetime + 1, 3650 * 24 * time.Hour} {
		e.Lifetime = takes
		if err := at(now.Unix(), now.Unix()+60, e); !errors.Is(err, claim.BadExpectancy) {
			t.Errorf("%s may be taken: %v", takes, err)
		}
	}
}

// bigKey is an RSA key of so many bits, made of small primes, since two large
// ones would take minutes.
var bigKey = func() func(bits int) *bigRSA {
	var mu sync.Mutex
	made := map[int]*bigRSA{}
	return func(bits int) *bigRSA {
		mu.Lock()
		defer mu.Unlock()
		if made[bits] == nil {
			made[bits] = newBigRSA(bits)
		}
		return made[bits]
	}
}()

type bigRSA struct {
	pub rsa.PublicKey
	d   *big.Int
}

func newBigRSA(bits int) *bigRSA {
	one, e := big.NewInt(1), big.NewInt(65537)
	for {
		n, phi := big.NewInt(1), big.NewInt(1)
		for n.BitLen() < bits {
			left := bits - n.BitLen()
			if left > 600 {
				left = 512
			}
			p, err := rand.Prime(rand.Reader, max(left, 64))
			if err != nil {
				panic(err)
			}
			n.Mul(n, p)
			phi.Mul(phi, p.Sub(p, one))
		}
		d := new(big.Int).ModInverse(e, phi)
		if n.BitLen() == bits && d != nil {
			return &bigRSA{rsa.PublicKey{N: n, E: 65537}, d}
		}
	}
}

func (k *bigRSA) sign(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	info := append(unhex(digestInfo), sum[:]...)
	size := k.pub.Size()
	b := append([]byte{0, 1}, make([]byte, size-3-len(info))...)
	for i := 2; i < len(b); i++ {
		b[i] = 0xff
	}
	m := new(big.Int).SetBytes(append(append(b, 0), info...))
	return m.Exp(m, k.d, k.pub.N).FillBytes(make([]byte, size))
}

// TestRSASizes: keys of 2,048 to 8,192 bits verify, no others, though their
// signatures are right.
func TestRSASizes(t *testing.T) {
	t.Parallel()
	for bits, ok := range map[int]bool{1024: false, 1536: false, 2047: false, 2048: true, 2049: true, 3072: true, 4096: true, 8192: true, 8193: false,
		9000: false} {
		k := bigKey(bits)
		f := &forged{t: t, head: map[string]any{"alg": "RS256", "kid": "big"}, claims: profiles["work"].claims(), sign: func(_ *forged,
			input string) []byte {
			return k.sign(input)
		}}
		tok := f.build()
		if bits == 2048 {
			sum := sha256.Sum256([]byte(tok[:strings.LastIndexByte(tok, '.')]))
			if err := rsa.VerifyPKCS1v15(&k.pub, crypto.SHA256, sum[:], k.sign(tok[:strings.LastIndexByte(tok, '.')])); err != nil {
				t.Fatal(err)
			}
		}
		_, err := claim.Verify(secret.New(tok), jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &k.pub, KeyID: "big"}}}, profiles["work"].expect())
		if (err == nil) != ok || err != nil && !errors.Is(err, claim.NoKey) {
			t.Errorf("%d bits in the set given: %v", bits, err)
		}
		_, err = claim.ReadKeySet([]byte(fmt.Sprintf(`{"keys":[%s]}`, rsaKey(k.pub.N, 65537))))
		if (err == nil) != ok {
			t.Errorf("%d bits in a set that is read: %v", bits, err)
		}
	}
}
