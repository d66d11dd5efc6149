package claim

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"partnerguard/internal/secret"
)

// Limits of what is read, for both readers.
const (
	MaxSize  = 64 << 10 // bytes of a token, as it travels
	MaxDepth = 16       // levels of JSON; Entra ID uses three
)

// Inspect reads what a token says of itself, without asking whether it is
// true: no signature is checked. It is lenient (padding, the other base64
// alphabet, line breaks, claims of a wrong type) and notes where it was. It
// never fails: what it cannot read is opaque. Notes never show the token.
func Inspect(raw secret.Text) Token { return inspect(raw.Reveal(), 0) }

func inspect(s string, inside int) Token {
	var t Token
	opaque := func(format string, args ...any) Token {
		return Token{Opaque: true, Notes: append(t.Notes, fmt.Sprintf(format, args...))}
	}
	if len(s) > MaxSize {
		return opaque("it is longer than %d KiB and was not read", MaxSize>>10)
	}
	if tight := strings.Map(noSpace, s); tight != s {
		if tight != strings.TrimSpace(s) {
			t.note("white space inside the token was left out")
		}
		s = tight
	}
	parts := strings.Split(s, ".")
	switch {
	case s == "":
		return opaque("it is empty")
	case strings.HasPrefix(s, "{"):
		return opaque("it is JSON, not a token as it travels")
	case len(parts) == 5:
		return opaque("it is encrypted (JWE): only its resource can read it")
	case len(parts) != 2 && len(parts) != 3, len(parts) == 2 && !strings.HasPrefix(s, "ey"): // {" in base64
		return opaque("it is not a JWT but a reference to something the issuer keeps")
	case len(parts) == 2, parts[2] == "":
		t.note("it has no signature")
	}
	t.readHeader(parts[0])
	body, err := t.decode("claims", parts[1])
	if err != nil {
		return opaque("its claims are not base64")
	}
	body = []byte(strings.TrimPrefix(string(body), "\ufeff"))
	o, err := readObject(body)
	switch {
	case errors.Is(err, errDepth):
		return opaque("its claims are nested more than %d levels deep", MaxDepth)
	case err != nil && inside == 0 && strings.Count(string(body), ".") == 2 && strings.HasPrefix(string(body), "ey"):
		t.note("it is a token inside a token; the inner one was read")
		in := inspect(string(body), 1)
		in.Notes = append(t.Notes, in.Notes...)
		return in
	case err != nil:
		return opaque("its claims are not a JSON object")
	}
	t.read(o)
	return t
}

func noSpace(r rune) rune {
	if unicode.IsSpace(r) {
		return -1
	}
	return r
}

func (t *Token) note(format string, args ...any) {
	t.Notes = append(t.Notes, fmt.Sprintf(format, args...))
}

// readHeader notes what a reader should know; no header keeps claims from
// being shown.
func (t *Token) readHeader(part string) {
	b, err := t.decode("header", part)
	if err != nil {
		t.note("its header is not base64")
		return
	}
	o, err := readObject(b)
	if err != nil {
		t.note("its header is not a JSON object")
		return
	}
	if alg, _ := o.text("alg"); strings.EqualFold(alg, "none") {
		t.note("nobody signed it: its header says alg %s", short(alg))
	}
}

// decode reads base64 of every kind seen in the wild.
func (t *Token) decode(what, s string) ([]byte, error) {
	if bare := strings.TrimRight(s, "="); bare != s {
		t.note("its %s is padded, which a JWT is not", what)
		s = bare
	}
	if strings.ContainsAny(s, "+/") {
		t.note("its %s is in the base64 alphabet of mail, not of URLs", what)
		s = strings.NewReplacer("+", "-", "/", "_").Replace(s)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		if b, err = base64.RawURLEncoding.DecodeString(s); err == nil {
			t.note("its %s ends in bits that mean nothing", what)
		}
	}
	return b, err
}

// read takes the claims over. A claim that is there twice is taken for none,
// since readers disagree on which counts.
func (t *Token) read(o object) {
	for _, name := range o.twice {
		t.note("the claim %s is there more than once and was not read", short(name))
	}
	one := func(name string) string {
		s, form := o.text(name)
		if form == formOther || form == formNumber && name != "ver" && name != "acr" && name != "appidacr" && name != "azpacr" {
			t.note("the claim %s is not a text", name)
			return ""
		}
		return s
	}
	first := func(names ...string) string {
		for _, n := range names {
			if s := one(n); s != "" {
				return s
			}
		}
		return ""
	}
	many := func(name string) []string {
		list, form := o.list(name)
		switch form {
		case formArray, formAbsent:
		case formText:
			t.note("the claim %s is one text, not a list", name)
		default:
			t.note("the claim %s is not a list of texts", name)
		}
		return list
	}
	t.Version, t.Issuer, t.Tenant = one("ver"), one("iss"), one("tid")
	t.App, t.AppAuth = first("appid", "azp"), first("appidacr", "azpacr")
	t.Account, t.ObjectID, t.Subject = first("upn", "preferred_username", "unique_name"), one("oid"), one("sub")
	t.ACR, t.Nonce = one("acr"), one("nonce")
	if list, form := o.list("aud"); form != formAbsent {
		t.Audience = list // one or several, both are right
		if form == formOther {
			t.note("the claim aud is neither a text nor a list of texts")
		}
	}
	if list, form := o.list("scp"); form == formText {
		t.Scopes = strings.Fields(list[0])
	} else {
		t.Scopes = list
	}
	t.Roles, t.ACRS, t.Wids = many("roles"), many("acrs"), many("wids")

	var form string
	t.AMR, form = o.list("amr")
	switch {
	case o.isTwice("amr"):
		t.AMRForm = formOther
	case form == formText:
		t.AMRForm = form
		t.note("amr is one text, not a list")
	case form == formNumber, form == formOther:
		t.AMRForm = formOther
		t.note("amr is not a list of texts")
	default:
		t.AMRForm = form
	}
	for _, m := range []struct {
		name string
		to   *time.Time
	}{{"auth_time", &t.AuthTime}, {"iat", &t.IssuedAt}, {"exp", &t.NotAfter}} {
		at, how := o.moment(m.name)
		if *m.to = at; how != "" {
			t.note("the claim %s %s", m.name, how)
			if m.name == "auth_time" {
				t.AuthTime = time.Time{} // an age would be taken for known
			}
		}
	}
	t.IsApp = t.appOnly(o)
}

// appOnly: no user takes part. An ID token has no scp either, but names its
// user or a nonce (contracts.md section 4.4).
func (t *Token) appOnly(o object) bool {
	kind, _ := o.text("idtyp")
	switch {
	case strings.EqualFold(kind, "app"):
		if len(t.Scopes) > 0 || t.AMRForm != "" || t.Account != "" {
			t.note("it says that it is an app's and carries a user's claims")
		}
		return true
	case strings.EqualFold(kind, "user"):
		return false
	}
	return len(t.Scopes) == 0 && t.AMRForm == "" && t.Account == "" && t.Nonce == "" && t.App != ""
}

// short shows a name or value from a token in words of ours: quoted, ASCII,
// cut.
func short(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) > most {
		s = string(r[:most]) + "..."
	}
	return strconv.QuoteToASCII(s)
}
