package gate

import (
	"net/url"
	"strings"

	"partnerguard/internal/secret"
)

const maxQuery = 2048

// Redact is a query as it may be kept: in its own order, with the value of
// every parameter whose name says that it is a secret replaced, and bounded.
// What cannot be decoded is replaced too.
func Redact(rawQuery string) string {
	if rawQuery == "" {
		return ""
	}
	var out []string
	// Some servers and older clients part pairs with semicolons.
	for pair := range strings.FieldsFuncSeq(rawQuery, func(c rune) bool { return c == '&' || c == ';' }) {
		raw, value, has := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(raw)
		switch {
		case err != nil || !has && len(raw) > 64: // a bare word that long may be a token
			out = append(out, secret.Redacted)
		case !has:
			out = append(out, raw)
		case Secret(name) || looksSecret(value):
			out = append(out, raw+"="+secret.Redacted)
		default:
			out = append(out, pair)
		}
	}
	return clip(strings.Join(out, "&"), maxQuery)
}

// Secret says whether a parameter of this name carries something that must not
// be kept: codes, passwords, assertions, tokens, keys. Page tokens are no
// secrets, and who follows a list wants to see them.
func Secret(name string) bool {
	name = strings.ToLower(strings.TrimLeft(strings.TrimSpace(strings.ReplaceAll(name, "-", "_")), "$"))
	switch name {
	case "skiptoken", "deltatoken", "continuationtoken", "code_challenge", "code_challenge_method":
		return false
	case "code", "samlrequest", "samlresponse", "otc", "otp", "pin", "sig", "key", "auth", "ctx", "flowtoken", "sft", "canary":
		return true
	}
	for _, word := range []string{"secret", "passw", "pwd", "token", "assertion", "_code", "usercode", "devicecode", "verifier", "credential", "apikey",
		"api_key", "access_key", "signature", "cookie", "session_state", "sessionid", "session_id"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// looksSecret recognises a JSON Web Token whatever it is called.
func looksSecret(value string) bool {
	return strings.Contains(value, "eyJ") && strings.Count(value, ".") >= 2
}
