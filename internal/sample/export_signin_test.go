package sample_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/pquerna/otp/totp"

	"partnerguard/internal/partnercloud/world"
)

const (
	exporter = "mia.lindqvist@contoso.com"            // Global Administrator and Admin Agent
	tool     = "14d82eec-204b-4c2f-b7e8-296a70dab67e" // Microsoft Graph Command Line Tools
	redirect = "http://localhost:9911/"
	login    = "https://login.microsoftonline.com"
	verifier = "0123456789012345678901234567890123456789abc"
)

var hidden = regexp.MustCompile(`name="(flow|csrf)"[^>]* value="([^"]*)"`)

// signIn goes through the cloud's own pages with password and passcode, and gives
// the token that the code at the end is worth. No passcode is taken twice: step
// counts them on.
func (x *export) signIn(step time.Duration, scope string) string {
	x.Helper()
	var password, passcode, tenant string
	at := x.cloud.World.Clock.Now().Add(30 * time.Second * step)
	x.cloud.World.Read(func(s *world.State) {
		u := s.Home(exporter).UserByName(exporter)
		tenant = s.Partner
		password, _ = s.SeededPassword(u)
		passcode, _ = totp.GenerateCode(s.TOTPSecret(u, u.Method(world.MethodTOTP)), at) // a wrong one is refused
	})
	sum := sha256.Sum256([]byte(verifier))
	code := ""
	jar, err := cookiejar.New(nil)
	if err != nil {
		x.Fatal(err)
	}
	web := &http.Client{Jar: jar, Transport: x.cloud.Transport(), CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if !strings.HasPrefix(r.URL.String(), redirect) {
			return nil
		}
		code = r.URL.Query().Get("code")
		return http.ErrUseLastResponse
	}}
	base := login + "/" + tenant + "/oauth2/v2.0/"
	_, page := x.read(web.Get(base + "authorize?" + url.Values{
		"client_id": {tool}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {scope}, "state": {"s"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}.Encode()))
	for range 6 {
		if code != "" {
			break
		}
		form := url.Values{"do": {"leave"}}
		switch has := func(s string) bool { return strings.Contains(string(page), s) }; {
		case has(`name="loginfmt" type="email"`):
			form = url.Values{"do": {"account"}, "loginfmt": {exporter}}
		case has(`name="passwd"`):
			form = url.Values{"do": {"password"}, "passwd": {password}}
		case has(`name="otc"`):
			form = url.Values{"do": {"totp"}, "otc": {passcode}}
		}
		for _, m := range hidden.FindAllStringSubmatch(string(page), -1) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
		_, page = x.read(web.PostForm(login+"/common/signin", form))
	}
	_, answer := x.read(web.PostForm(base+"token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {tool}, "redirect_uri": {redirect}, "code": {code}, "code_verifier": {verifier},
	}))
	var token struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal(answer, &token); err != nil || token.Access == "" {
		x.Fatalf("no token for %s: %s\n%s", scope, answer, page)
	}
	return token.Access
}
