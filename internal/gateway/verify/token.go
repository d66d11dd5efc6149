package verify

import (
	"bytes"
	"encoding/base64"
	"strings"

	"partnerguard/internal/gateway"
)

// Limits of a token, in bytes.
const (
	maxToken  = 64 << 10 // as it travels, as the claim engine's
	maxHeader = 4 << 10  // of the header, decoded
	maxKeyID  = 256
)

// The members of a header that mean something to one reader or another (RFC 7515, 7516,
// 7797).
const (
	hAlg = iota
	hKid
	hTyp
	hCty
	hCrit
	hB64
	hZip
	hEnc
	hJwk
	hJku
	hX5u
	hX5c
	hX5t
	headers
)

var header = shape{func(n []byte) int {
	switch string(n) {
	case "alg":
		return hAlg
	case "kid":
		return hKid
	case "typ":
		return hTyp
	case "cty":
		return hCty
	case "crit":
		return hCrit
	case "b64":
		return hB64
	case "zip":
		return hZip
	case "enc":
		return hEnc
	case "jwk":
		return hJwk
	case "jku":
		return hJku
	case "x5u":
		return hX5u
	case "x5c":
		return hX5c
	case "x5t":
		return hX5t
	}
	return -1
}, make([]check, headers)}

// The claims that are read, or only held to a form.
const (
	cIss = iota
	cSub
	cAud
	cExp
	cNbf
	cIat
	cJti
	cNonce
	cTid
	cOid
	cVer
	cAmr
	cAcr
	cAcrs
	cAuthTime
	cScp
	cRoles
	cAppid
	cAzp
	cAppidacr
	cAzpacr
	cCnf
	cUpn
	cIdtyp
	cWids // from here on other spellings do not matter
	cGroups
	cPreferred
	cUnique
	cEmail
	cName
	cGiven
	cFamily
	cSid
	cIdp
	cUti
	cXmsCC
	cHasGroups
	cClaimNames
	cAct
	cClientID
	cLoginHint
	cMiddle
	cNickname
	cScope
	cUsername
	cPrimary
	cSecondary
	claims
)

// claim is one that is known.
type claim struct {
	name string
	id   int
}

// names gives the claims of each bucket, and checks what texts below a claim are held to.
var names, checks = func() (place [256][]claim, held []check) {
	held = make([]check, claims)
	for _, c := range []struct {
		id   int
		name string
		held check
	}{
		{cIss, "iss", length}, {cSub, "sub", unseen}, {cAud, "aud", free}, {cExp, "exp", free}, {cNbf, "nbf", free}, {cIat, "iat", free},
		{cJti, "jti", unseen}, {cNonce, "nonce", unseen}, {cTid, "tid", unseen}, {cOid, "oid", unseen}, {cVer, "ver", unseen}, {cAmr, "amr", unseen},
		{cAcr, "acr", unseen}, {cAcrs, "acrs", unseen}, {cAuthTime, "auth_time", free}, {cScp, "scp", free}, {cRoles, "roles", unseen},
		{cAppid, "appid", unseen}, {cAzp, "azp", unseen}, {cAppidacr, "appidacr", unseen}, {cAzpacr, "azpacr", unseen}, {cCnf, "cnf", free},
		{cUpn, "upn", unseen}, {cIdtyp, "idtyp", unseen}, {cWids, "wids", unseen}, {cGroups, "groups", shown},
		{cPreferred, "preferred_username", unseen}, {cUnique, "unique_name", unseen}, {cEmail, "email", unseen}, {cName, "name", shown},
		{cGiven, "given_name", shown}, {cFamily, "family_name", shown}, {cSid, "sid", unseen}, {cIdp, "idp", unseen}, {cUti, "uti", unseen},
		{cXmsCC, "xms_cc", unseen}, {cHasGroups, "hasgroups", free}, {cClaimNames, "_claim_names", free}, {cAct, "act", unseen},
		{cClientID, "client_id", unseen}, {cLoginHint, "login_hint", unseen}, {cMiddle, "middle_name", shown}, {cNickname, "nickname", shown},
		{cScope, "scope", scopes}, {cUsername, "username", unseen}, {cPrimary, "verified_primary_email", unseen},
		{cSecondary, "verified_secondary_email", unseen},
	} {
		b := bucket([]byte(c.name))
		place[b], held[c.id] = append(place[b], claim{c.name, c.id}), c.held
	}
	return place, held
}()

var body = shape{func(n []byte) int {
	for _, c := range names[bucket(n)] {
		if c.name == string(n) {
			return c.id
		}
	}
	return -1
}, checks}

// bucket is cheaper than a map's hash, and does for names that we choose.
func bucket(n []byte) uint8 {
	if len(n) == 0 {
		return 0
	}
	return uint8(len(n))*37 + n[0]*5 + n[len(n)-1]*11 + n[len(n)/2]*3
}

// persons are texts, whoever they are of.
var persons = []int{cIss, cTid, cOid, cSub, cAppid, cAzp, cUpn, cPreferred, cUnique, cEmail, cName, cGiven, cFamily, cNonce, cIdtyp, cSid, cJti, cIdp, cUti}

// token is one taken apart. It is used again and again; what it holds is of the last one.
type token struct {
	scanner
	raw  []byte // as it travels
	head []byte
	body []byte
	sig  []byte

	hs [headers]span
	cs [claims]span

	alg algorithm
	kid []byte

	exp, nbf, iat int64
	said          [3]bool // exp, nbf, iat
	back          bool    // it ends before it begins

	words  []byte // of the identity in the making
	pieces []piece
}

// strict is base64url without padding, and without bits that mean nothing.
var strict = base64.RawURLEncoding.Strict()

// read takes a token apart and checks all that needs neither key nor moment.
func (t *token) read(raw string) gateway.Reason {
	if len(raw) > maxToken {
		return gateway.TooLong
	}
	t.raw = append(t.raw[:0], raw...)
	first := bytes.IndexByte(t.raw, '.')
	last := bytes.LastIndexByte(t.raw, '.')
	if first <= 0 || last <= first+1 || bytes.IndexByte(t.raw, '\n') >= 0 || bytes.IndexByte(t.raw, '\r') >= 0 {
		return gateway.Malformed
	}
	if n := bytes.Count(t.raw, []byte{'.'}); n == 4 && isJWE(t.raw) {
		return gateway.Encrypted
	} else if n != 2 {
		return gateway.Malformed
	}
	var err error
	if t.head, err = strict.AppendDecode(t.head[:0], t.raw[:first]); err != nil {
		return gateway.Malformed
	}
	if len(t.head) > maxHeader {
		return gateway.TooLong
	}
	if reason := t.readHead(); reason != gateway.Passed {
		return reason
	}
	var berr error
	t.body, err = strict.AppendDecode(t.body[:0], t.raw[first+1:last])
	t.sig, berr = strict.AppendDecode(t.sig[:0], t.raw[last+1:])
	if err != nil || berr != nil || len(t.sig) == 0 {
		return gateway.Malformed
	}
	return t.readBody()
}

// isJWE says whether five parts look as what is encrypted does (RFC 7516).
func isJWE(raw []byte) bool {
	for _, c := range raw {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func (t *token) readHead() gateway.Reason {
	t.hs = [headers]span{}
	others, ok := t.members(t.head, header, t.hs[:])
	switch {
	case !ok:
		return gateway.Malformed
	case others != 0:
		return gateway.BadHeader
	}
	for _, h := range []int{hCrit, hB64, hZip, hEnc, hJwk, hJku, hX5u, hX5c} {
		if t.hs[h].kind != absent {
			return gateway.BadHeader
		}
	}
	if v := t.hs[hTyp]; v.kind != absent && v.kind != null && !isJWT(t.says(t.head, v)) || t.hs[hCty].kind > null {
		return gateway.BadHeader
	}
	if t.alg = algorithmOf(t.says(t.head, t.hs[hAlg])); t.alg == 0 {
		return gateway.BadAlgorithm
	}
	kid := t.says(t.head, t.hs[hKid])
	if len(kid) == 0 || len(kid) > maxKeyID {
		return gateway.UnknownKey
	}
	t.kid = append(t.kid[:0], kid...)
	return gateway.Passed
}

func isJWT(typ []byte) bool {
	const kind = "application/"
	if len(typ) > len(kind) && strings.EqualFold(string(typ[:len(kind)]), kind) {
		typ = typ[len(kind):]
	}
	return strings.EqualFold(string(typ), "jwt") || strings.EqualFold(string(typ), "at+jwt")
}

// says gives what a text says, until the next call; nothing where it is none.
func (t *token) says(b []byte, v span) []byte {
	switch v.kind {
	case text:
		return b[v.from+1 : v.to-1]
	case written:
		t.buf = unescape(t.buf[:0], b[v.from+1:v.to-1])
		return t.buf
	}
	return nil
}

func isText(k kind) bool { return k == text || k == written }

func (t *token) readBody() gateway.Reason {
	t.cs = [claims]span{}
	others, ok := t.members(t.body, body, t.cs[:])
	if !ok {
		return gateway.Malformed
	}
	for id := range cWids {
		if others&(1<<id) != 0 && t.cs[id].kind != absent {
			return gateway.Malformed
		}
	}
	if t.unfit || t.cs[cCnf].kind != absent { // bound to a key, and no bearer token
		return gateway.BadClaim
	}
	for _, id := range persons {
		if k := t.cs[id].kind; k > null && !isText(k) {
			return gateway.BadClaim
		}
	}
	for _, id := range []int{cIss, cTid} {
		if !isText(t.cs[id].kind) || len(t.says(t.body, t.cs[id])) == 0 {
			return gateway.BadClaim
		}
	}
	for _, id := range []int{cTid, cOid} {
		if v := t.cs[id]; isText(v.kind) && !isGUID(t.says(t.body, v)) {
			return gateway.BadClaim
		}
	}
	if v := t.cs[cScp]; v.kind > null && (v.kind != text && (v.kind != written || !printable(t.says(t.body, v))) || v.to-v.from-2 > maxScopes) {
		return gateway.BadClaim
	}
	if k := t.cs[cVer].kind; k > null && !isText(k) {
		return gateway.BadClaim
	}
	return t.readForms()
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// readForms holds the claims that decide to their forms.
func (t *token) readForms() gateway.Reason {
	for i, id := range []int{cExp, cNbf, cIat} {
		v := t.cs[id]
		at, ok := int64(0), v.kind == number
		if ok {
			at, ok = moment(t.body[v.from:v.to])
		}
		if !ok && (i == 0 || v.kind > null) {
			return gateway.BadClaim
		}
		t.said[i] = ok
		switch i {
		case 0:
			t.exp = at
		case 1:
			t.nbf = at
		default:
			t.iat = at
		}
	}
	if t.said[1] && t.exp-t.nbf > maxLife || t.said[2] && t.exp-t.iat > maxLife {
		return gateway.BadClaim
	}
	t.back = t.said[1] && t.exp < t.nbf || t.said[2] && t.exp < t.iat
	for _, id := range []int{cAcrs, cRoles, cWids, cGroups} {
		if k := t.cs[id].kind; k > null && (k != list || t.count(id) < 0) {
			return gateway.BadClaim
		}
	}
	if k := t.cs[cXmsCC].kind; k > null && !isText(k) && (k != list || t.count(cXmsCC) < 0) {
		return gateway.BadClaim
	}
	switch v := t.cs[cAud]; {
	case isText(v.kind):
		if v.to-v.from == 2 {
			return gateway.BadClaim
		}
	case v.kind != list, t.count(cAud) < 0:
		return gateway.BadClaim
	case t.count(cAud) != 1:
		return gateway.WrongAudience // meant for several, or for nobody
	}
	return gateway.Passed
}

// maxLife is the longest life of a token, in seconds: continuous access evaluation has
// tokens of 28 hours. It is the claim engine's, without its leeway.
const maxLife = 48 * 3600

// moment reads seconds since 1970, whole ones: Entra ID writes no others.
func moment(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 12 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, n <= lastMoment
}

// lastMoment is the end of the year 9999.
const lastMoment = 253402300799

// count gives how many texts a list has; -1 where something else is among them.
func (t *token) count(id int) int {
	n := 0
	for e := range t.elements(id) {
		if !isText(e.kind) {
			return -1
		}
		n++
	}
	return n
}

// elements goes through a list that was scanned.
func (t *token) elements(id int) func(func(span) bool) {
	return func(yield func(span) bool) {
		v := t.cs[id]
		if v.kind != list {
			return
		}
		s := scanner{b: t.body, i: v.from + 1, names: t.names, dec: t.dec}
		for s.space() != ']' {
			e, ok := s.value(2, free)
			if !ok || !yield(e) {
				return
			}
			if s.space() == ',' {
				s.i++
			}
		}
	}
}
