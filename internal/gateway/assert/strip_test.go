package assert

import (
	"net/textproto"
	"strings"
	"testing"
)

func TestStrip(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"X-Partnerguard-User", "x-partnerguard-mfa", "X_Partnerguard_User", "X-PARTNERGUARD_Assertion", "x-partnerguard-", "Partnerguard-Mode",
		"X-Auth-Request-User", "X_AUTH_REQUEST_EMAIL",
		"X-MS-Client-Principal", "X-MS-CLIENT-PRINCIPAL-ID", "x_ms_client_principal_name", "X-MS-TOKEN-AAD-ACCESS-TOKEN", "X-Forwarded-For",
		"x_forwarded_host", "X-Forwarded-Anything",
		"X-Forwarded", "Forwarded", "FORWARDED", "X-Real-IP", "X_Real_Ip", "X-Original-URI", "X-Original-URL", "X_ORIGINAL_METHOD", "X-Rewrite-URL",
		"X-Request-Id", "X-Remote-User", "Remote_User",
		"X.Partnerguard.User", "X!Partnerguard~Mfa", "X-Partnerguard'User", "X|Forwarded+For", "Remote.User", // lighttpd's CGI reads these alike
	} {
		if !Strip([]byte(s)) {
			t.Errorf("%s comes in", s)
		}
	}
	for _, s := range []string{
		"", "X", "Host", "Authorization", "Cookie", "X-Partnerguar", "XPartnerguard-User", "X-Partner-User", "X-Auth-Token", "X-Ms-Version",
		"X-MS-Client-Request-Id", "Forwarded-By", "X-Real", "X-Originally",
		"Traceparent", "X-Requested-With", "X-Requestid", "Accept", "Range", "X-Correlation-Id", "X9Partnerguard-User",
	} {
		if Strip([]byte(s)) {
			t.Errorf("%s is taken away", s)
		}
	}
	for _, s := range []string{HeaderUser, HeaderObjectID, HeaderTenant, HeaderHome, HeaderCustomer, HeaderApp, HeaderMFA, HeaderAuthTime, HeaderRoles,
		HeaderWids, HeaderGroups, HeaderElsewhere,
		HeaderRoute, HeaderRequest, HeaderAssertion} {
		if !Strip([]byte(s)) || textproto.CanonicalMIMEHeaderKey(s) != s {
			t.Errorf("%s comes in, or is not as Go writes it", s)
		}
	}
}

// FuzzStrip holds it to the plain reading of the rule.
func FuzzStrip(f *testing.F) {
	f.Add("X_Partnerguard-User")
	f.Add("X-Real-IP")
	f.Fuzz(func(t *testing.T, s string) {
		b := []byte(s)
		for i, c := range b {
			if 'A' <= c && c <= 'Z' {
				b[i] = c + 'a' - 'A'
			} else if !('a' <= c && c <= 'z' || '0' <= c && c <= '9') {
				b[i] = '-'
			}
		}
		low := string(b)
		want := false
		for _, p := range prefixes {
			want = want || strings.HasPrefix(low, p)
		}
		for _, n := range names {
			want = want || low == n
		}
		if Strip([]byte(s)) != want {
			t.Errorf("%q: %v", s, !want)
		}
	})
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "a=b": "a=b", "a=b; pg=x; c=d": "a=b; c=d", "pg=x": "", "__Host-pg=x;a=b": "a=b", "__Host-pg-in=y; pg-in=z;pg=x ": "",
		"pgx=1; xpg=2":            "pgx=1; xpg=2",
		"PG=x; __host-PG=y; a=pg": "a=pg", " pg =x; a": "a", "a=\"b\"; ;pg=1": "a=\"b\"", "pg": "",
	} {
		if got := Cookies(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestSetsOwn(t *testing.T) {
	for value, want := range map[string]bool{
		"__Host-pg=x; Path=/": true, "pg=x": true, " PG =x": true, "pg-in=x": true, "=pg=x": true, "= =__Host-pg=x; Secure": true, "pg": true, "=pg": true,
		"": false, "a=pg": false, "a=1; pg=2": false, "xpg=1": false, "=": false, "a==pg=": false,
	} {
		if SetsOwn(value) != want {
			t.Errorf("%q: %v", value, !want)
		}
	}
}
