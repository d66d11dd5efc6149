package verify

import (
	"bytes"
	"strings"

	"partnerguard/internal/gateway"
)

// piece is where a text of the identity stands in token.words.
type piece struct{ from, to int }

// put appends what a text says to the identity's.
func (t *token) put(v span) piece {
	p := piece{from: len(t.words)}
	switch v.kind {
	case text:
		t.words = append(t.words, t.body[v.from+1:v.to-1]...)
	case written:
		t.words = unescape(t.words, t.body[v.from+1:v.to-1])
	case number: // ver, acr and how an app proves itself may be
		t.words = append(t.words, t.body[v.from:v.to]...)
	}
	p.to = len(t.words)
	return p
}

// small is put in small letters, as ids are compared.
func (t *token) small(v span) piece {
	p := t.put(v)
	for i, c := range t.words[p.from:p.to] {
		if 'A' <= c && c <= 'Z' {
			t.words[p.from+i] = c + 'a' - 'A'
		}
	}
	return p
}

// first gives the first of the claims that says something.
func (t *token) first(ids ...int) span {
	for _, id := range ids {
		if v := t.cs[id]; isText(v.kind) && v.to-v.from > 2 || v.kind == number {
			return v
		}
	}
	return span{}
}

// many appends the texts of a list and gives where they stand in t.pieces.
func (t *token) many(id int) piece {
	p := piece{from: len(t.pieces)}
	for e := range t.elements(id) {
		t.pieces = append(t.pieces, t.put(e))
	}
	p.to = len(t.pieces)
	return p
}

// scopeList appends what scp names.
func (t *token) scopeList() piece {
	p := piece{from: len(t.pieces)}
	all := t.put(t.cs[cScp])
	for from := all.from; from < all.to; {
		n := bytes.IndexByte(t.words[from:all.to], ' ')
		if n < 0 {
			n = all.to - from
		}
		if n > 0 {
			t.pieces = append(t.pieces, piece{from, from + n})
		}
		from += n + 1
	}
	p.to = len(t.pieces)
	return p
}

// identity makes what the token says of who asks. It allocates the identity, one text
// and one list for all of it.
func (t *token) identity(k *key, of *authority, is issuer) *gateway.Identity {
	t.words, t.pieces = t.words[:0], t.pieces[:0]
	iss, tid, oid, sub := t.put(t.cs[cIss]), t.small(t.cs[cTid]), t.small(t.cs[cOid]), t.put(t.cs[cSub])
	account, app := t.put(t.first(cUpn, cPreferred, cUnique)), t.small(t.first(cAppid, cAzp))
	proof, sid, id := t.put(t.first(cAppidacr, cAzpacr)), t.put(t.cs[cSid]), t.put(t.first(cUti, cJti))
	home := t.home(t.words[tid.from:tid.to], of)
	version := t.put(t.cs[cVer])
	aud := t.put(t.cs[cAud])
	for e := range t.elements(cAud) {
		aud = t.put(e)
	}
	amr, acrs, roles, wids, groups := t.many(cAmr), t.many(cAcrs), t.many(cRoles), t.many(cWids), t.many(cGroups)
	scp := t.scopeList()

	all := string(t.words)
	texts := make([]string, len(t.pieces))
	for i, p := range t.pieces {
		texts[i] = all[p.from:p.to]
	}
	at := func(p piece) string { return all[p.from:p.to] }
	list := func(p piece) []string {
		if p.from == p.to {
			return nil
		}
		return texts[p.from:p.to:p.to]
	}
	out := &gateway.Identity{
		Way: gateway.ByBearer, Issuer: at(iss), Audience: at(aud), Tenant: at(tid), Home: at(home), ObjectID: at(oid), Subject: at(sub), Account: at(account),
		App: at(app), AppAuth: at(proof), Version: at(version), Session: at(sid), ID: at(id), KeyID: k.id,
		Scopes: list(scp), Roles: list(roles), Wids: list(wids), Groups: list(groups), Contexts: list(acrs),
		GroupsElsewhere: t.elsewhere(), IssuedAt: t.iat, NotBefore: t.nbf, NotAfter: t.exp,
	}
	if out.Version == "" {
		out.Version = is.version
	}
	if v := t.cs[cAuthTime]; v.kind == number {
		out.AuthTime, _ = moment(t.body[v.from:v.to])
	}
	out.Capable, out.CapableTold = t.capable()
	t.verdict(out, list(amr))
	return out
}

// verdict is the claim engine's: who comes without a user, and whether MFA is proven.
func (t *token) verdict(out *gateway.Identity, amr []string) {
	form := t.cs[cAmr].kind
	if form == null {
		form = absent
	}
	whole := form == list && t.count(cAmr) >= 0
	if whole {
		out.AMR = amr
	}
	kind := t.says(t.body, t.cs[cIdtyp])
	switch {
	case strings.EqualFold(string(kind), "app"):
		out.IsApp = true
	case strings.EqualFold(string(kind), "user"):
	default:
		nonce := t.cs[cNonce]
		out.IsApp = len(out.Scopes) == 0 && form == absent && out.Account == "" && nonce.to-nonce.from <= 2 && out.App != ""
	}
	switch {
	case out.IsApp:
	case form == absent && strings.HasPrefix(out.Version, "2"):
		out.Lacks = gateway.VersionHides
	case !whole:
		out.Lacks = gateway.SingleFactor // no amr in a version 1 token, or one that is no list of texts
	default:
		out.Lacks = gateway.SingleFactor
		for _, m := range amr {
			if m == "mfa" {
				out.Proven, out.Lacks = true, gateway.Passed
				return
			}
			if m == multipleauthn {
				out.Lacks = gateway.ThirdPartyMFA
			}
		}
	}
}

// multipleauthn is what a federated provider tells Entra ID of MFA, which writes "mfa"
// once it has taken it (contracts.md section 1.2).
const multipleauthn = "http://schemas.microsoft.com/claims/multipleauthn"

// capable reads xms_cc: does the client understand claims challenges? Case does not
// matter (contracts-2026-11 section 8).
func (t *token) capable() (yes, told bool) {
	v := t.cs[cXmsCC]
	if v.kind <= null {
		return false, false
	}
	if isText(v.kind) {
		return strings.EqualFold(string(t.says(t.body, v)), "cp1"), true
	}
	for e := range t.elements(cXmsCC) {
		if strings.EqualFold(string(t.says(t.body, e)), "cp1") {
			return true, true
		}
	}
	return false, true
}

// elsewhere says whether the account is in more groups than the token names.
func (t *token) elsewhere() bool {
	if v := t.cs[cHasGroups]; v.kind > null && string(t.body[v.from:v.to]) != "false" {
		return true
	}
	v := t.cs[cClaimNames]
	return v.kind == object && bytes.Contains(t.body[v.from:v.to], []byte(`"groups"`)) || v.kind > null && v.kind != object
}

// home gives the tenant of the account where idp names another one of the authority's
// than the token's, and "elsewhere" where it names somebody else: what such an account is
// called is up to them.
func (t *token) home(tenant []byte, of *authority) piece {
	idp, own := t.says(t.body, t.cs[cIdp]), false
	p := piece{from: len(t.words), to: len(t.words)}
	for _, is := range of.issuers {
		if is.is(idp, tenant) {
			own = true
			continue
		}
		n := len(idp) - len(is.before) - len(is.after)
		if !is.template || n != 36 || !bytes.HasPrefix(idp, is.before) || !bytes.HasSuffix(idp, is.after) {
			continue
		}
		if id := idp[len(is.before) : len(is.before)+n]; bytes.EqualFold(id, tenant) {
			own = true
		} else if isGUID(id) {
			t.words = append(t.words, bytes.ToLower(id)...)
			p.to = len(t.words)
			return p
		}
	}
	if len(idp) > 0 && !own {
		t.words = append(t.words, gateway.OtherHome...)
		p.to = len(t.words)
	}
	return p
}
