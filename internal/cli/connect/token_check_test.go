package connect

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/spf13/cobra"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/cli/kit/kittest"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

func checkCommand(live func(context.Context, *cobra.Command) (secret.Text, error)) func(*kit.Env) *cobra.Command {
	return func(env *kit.Env) *cobra.Command {
		c := &cobra.Command{Use: "token"}
		c.AddCommand(newTokenCheck(env, live))
		return c
	}
}

func exampleToken(claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256","kid":"key-of-the-example"}`)) + "." +
		enc([]byte(`{"iss":"https://sts.windows.net/7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21/","tid":"7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21","ver":"1.0","upn":"ada@contoso.com","scp":"user_impersonation","nonce":"nonce-of-the-example",`+claims+`}`)) + "." + enc([]byte("the signature of the example token"))
}

func TestTokenCheck(t *testing.T) {
	t.Parallel()
	good := exampleToken(`"auth_time":1795248000,"exp":1795255200,"amr":["pwd","mfa"]`)
	bad := exampleToken(`"amr":["pwd","ngcmfa"]`)
	utf16le := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(good + "\r\n")) {
		utf16le = append(utf16le, byte(u), byte(u>>8))
	}
	answer, _ := json.Marshal(map[string]any{"token_type": "Bearer", "access_token": good, "refresh_token": "refresh-token-of-the-example"})
	az, _ := json.Marshal(map[string]any{"accessToken": good, "expiresOn": "2026-11-21"})
	ps, _ := json.Marshal(map[string]any{"Token": good})
	for name, c := range map[string]struct {
		in     string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"proven":              {good, nil, 0, "MFA: proven", ""},
		"with its claims":     {good, nil, 0, "ada@contoso.com", ""},
		"signed in":           {good, nil, 0, "1 hour ago", ""},
		"white space":         {"\n  " + good + "\r\n", nil, 0, "MFA: proven", ""},
		"Bearer":              {"Bearer " + good, nil, 0, "MFA: proven", ""},
		"a header line":       {"Authorization: bearer " + good, nil, 0, "MFA: proven", ""},
		"quoted":              {`"` + good + `"`, nil, 0, "MFA: proven", ""},
		"a token answer":      {string(answer), nil, 0, "the access_token of a JSON answer was read", ""},
		"of the Azure CLI":    {string(az), nil, 0, "the accessToken of a JSON answer", ""},
		"of Azure PowerShell": {string(ps), nil, 0, "the Token of a JSON answer", ""},
		"a file of a Windows": {string(utf16le), nil, 0, "MFA: proven", ""},
		"without mfa":         {bad, nil, 3, "ngcmfa says that a method may be registered", "MFA: not proven"},
		"without amr":         {exampleToken(`"x":1`), nil, 3, "MFA: not proven (no claim)", ""},
		"wrong issuer":        {exampleToken(`"amr":["mfa"],"iss":"https://idp.example/"`), nil, 3, "(wrong issuer)", ""},
		"another issuer, expected": {exampleTokenOf("https://idp.example/t", `"amr":["mfa"],"upn":"a"`), []string{"--issuer", "https://idp.example"}, 0,
			"MFA: proven", ""},
		"another issuer":       {exampleTokenOf("https://idp.example/t", `"amr":["mfa"],"upn":"a"`), nil, 3, `issued by "https://idp.example/t"`, ""},
		"opaque":               {"0.AXEA-refresh-token-of-the-example", nil, 3, "MFA: cannot tell (opaque)", ""},
		"JSON":                 {good, []string{"--output", "json"}, 0, `"answer": "proven"`, ""},
		"JSON has an age":      {good, []string{"--output", "json"}, 0, `"ageSeconds": 3600`, ""},
		"JSON, not proven":     {bad, []string{"--output", "json"}, 3, `"cause": "without mfa"`, "MFA: not proven"},
		"empty":                {"", nil, 1, "", "standard input is empty"},
		"only Bearer":          {"Bearer ", nil, 3, "opaque", ""},
		"JSON without a token": {`{"error":"invalid_grant","refresh_token":"refresh-token-of-the-example"}`, nil, 1, "", "holds no access_token"},
		"JSON cut":             {string(answer[:50]), nil, 1, "", "begins like JSON and is not"},
		"too long":             {strings.Repeat("x", maxTokenInput+1), nil, 1, "", "no token is"},
		"as argument":          {"", []string{good}, 2, "", "takes no argument"},
		"as flag":              {"", []string{"-" + good}, 2, "", "not repeated here"},
		"as flag of a value":   {"", []string{"--output", good}, 2, "", "not repeated here"},
		"as issuer":            {bad, []string{"--issuer", good}, 2, "", "--issuer is not an address"},
		"live is not there":    {good, []string{"--live"}, 2, "", "a flag is unknown"},
		"broken reader":        {"", nil, 1, "", "could not be read"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := io.Reader(strings.NewReader(c.in))
			if name == "broken reader" {
				in = failing{}
			}
			stdout, stderr, code := kittest.Run(t, in, checkCommand(nil), append([]string{"token", "check"}, c.args...)...)
			if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
				t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
			}
			if code == 1 || code == 2 {
				if !strings.Contains(stderr, "hint: ") && name != "broken reader" && name != "too long" {
					t.Errorf("no hint: %s", stderr)
				}
			}
			for _, part := range append(strings.Split(good, "."), append(strings.Split(bad, "."), "refresh-token-of-the-example", "nonce-of-the-example",
				"\x1b")...) {
				if strings.Contains(stdout+stderr, part) {
					t.Errorf("part of the token is printed:\n%s\n%s", stdout, stderr)
				}
			}
		})
	}
}

func exampleTokenOf(issuer, claims string) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256"}`)) + "." + enc([]byte(`{"iss":"`+issuer+`",`+claims+`}`)) + "." + enc([]byte("s"))
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("the pipe broke") }

func TestTokenCheckLive(t *testing.T) {
	t.Parallel()
	give := func(tok string, err error) func(*kit.Env) *cobra.Command {
		return checkCommand(func(context.Context, *cobra.Command) (secret.Text, error) { return secret.New(tok), err })
	}
	unread := failing{} // with --live standard input is not looked at
	if out, errs, code := kittest.Run(t, unread, give(exampleToken(`"amr":["mfa"]`), nil), "token", "check", "--live"); code != 0 ||
		!strings.Contains(out, "MFA: proven") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if _, errs, code := kittest.Run(t, unread, give("", problem.New(problem.BadInput, "nobody signed in")), "token", "check", "--live"); code != 1 ||
		!strings.Contains(errs, "nobody signed in") {
		t.Errorf("%d %s", code, errs)
	}
}

// FuzzUnwrapToken: what is taken out is part of what came in, or of what its
// JSON says, and no sentence repeats it.
func FuzzUnwrapToken(f *testing.F) {
	for _, s := range []string{"", "Bearer x", `"x"`, `{"access_token":"x"}`, `{"access_token":{}}`, `{`, "authorization: bearer bearer", "\ufeffx"} {
		f.Add([]byte(s))
	}
	f.Add([]byte{0xff, 0xfe, 'a', 0, 'b'})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := plainText(b)
		token, how := unwrapToken(s)
		if len(token) > len(s) && !strings.Contains(s, `\`) && strings.ToValidUTF8(s, "") == s {
			t.Fatalf("%q became %q", s, token)
		}
		if len(token) > 30 && strings.Contains(how, token) {
			t.Fatalf("%q", how)
		}
	})
}
