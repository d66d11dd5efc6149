package otp_test

import (
	"encoding/base64"
	"errors"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/claim"
	"partnerguard/internal/factor"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/otp"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

var qrPicture = regexp.MustCompile(`src="data:image/png;base64,([^"]+)"`)

// TestEntraRegistration takes a seed from the picture of the partner cloud's page for
// registering an authenticator application, finishes the registration with its code,
// and signs in again with the next: the token has the claim of MFA.
func TestEntraRegistration(t *testing.T) {
	t.Parallel()
	l := labtest.Start(t)
	s := store(t)
	verifier, state := token.Verifier(), token.State()
	r := msapi.AuthorizeRequest{Cloud: l.Cloud, ClientID: labtest.PanelApp, Tenant: l.Info.Tenant.ID, Redirect: labtest.Callback,
		Resource: l.Cloud.PartnerCenterResource, State: state, Nonce: token.Nonce(), Challenge: token.Challenge(verifier), Mode: "query",
		Prompt: "login", AMR: "mfa", MaxAge: 10 * time.Minute}
	where, err := l.API.AuthorizeURL(r)
	if err != nil {
		t.Fatal(err)
	}
	ben := l.Person(labtest.NoMFA)
	b := l.Browser().Open(where).SignIn(ben).Press("do", "newtotp")
	m := qrPicture.FindStringSubmatch(b.Page)
	if m == nil {
		t.Fatalf("the page has no picture: %s", b.Page)
	}
	raw, err := base64.StdEncoding.DecodeString(html.UnescapeString(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	text, err := otp.ReadPicture(raw)
	if err != nil {
		t.Fatal(err)
	}
	e, err := factor.ReadURI(text)
	if err != nil || !strings.EqualFold(e.Account, labtest.NoMFA) {
		t.Fatal(e.Account, err)
	}
	// The text beside the picture is the same seed.
	_, rest, _ := strings.Cut(b.Page, `id="secret">`)
	beside, _, _ := strings.Cut(rest, "<")
	typed, err := factor.ReadSecret(secret.New(beside))
	if err != nil || !typed.Equal(e.Seed.Secret) {
		t.Fatal("the key beside the picture is another", err)
	}
	mine := add(t, s, e)
	if err := s.Change(t.Context(), true, func(b *otp.Book) error { _, err := b.Add(e, "again", now); return err }); err == nil {
		t.Error("the same seed is taken twice")
	}
	code := func() string {
		book, err := s.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, err := book.Code(mine, l.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c.Code.Reveal()
	}
	b.Press("do", "newtotp", "otc", code())
	if b.Left == nil {
		b.Press("do", "leave")
	}
	if b.Left == nil || b.Left.Query().Get("code") == "" {
		t.Fatalf("the registration did not end: %d %s", b.Status, b.Page)
	}
	// Another day, another browser.
	l.Jump(24 * time.Hour)
	ben.Code = code
	again := l.Browser().Open(where).SignIn(ben)
	if again.Left == nil || again.Left.Query().Get("code") == "" {
		t.Fatalf("the second sign-in did not end: %d %s", again.Status, again.Page)
	}
	g, err := l.API.Redeem(t.Context(), msapi.RedeemRequest{Cloud: l.Cloud, App: l.App(labtest.PanelApp), Tenant: r.Tenant,
		Code: secret.New(again.Left.Query().Get("code")), Verifier: verifier, Redirect: r.Redirect, Resource: r.Resource})
	if err != nil {
		t.Fatal(errors.Unwrap(err), err)
	}
	if by := claim.Inspect(g.Access); !slices.Contains(by.AMR, "mfa") || !slices.Contains(by.AMR, "otp") {
		t.Errorf("the token says %v", by.AMR)
	}
}
