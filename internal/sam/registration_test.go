package sam_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/db"
	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/secret"
)

func TestCertificate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, _ := store(t, d)
		ctx := t.Context()
		client := captured(1).ClientID
		if _, err := s.App(ctx, client); !errors.Is(err, problem.NotFound) {
			t.Errorf("%v", err)
		}
		m, err := s.MakeCertificate(ctx, sam.NewCertificate{ClientID: strings.ToUpper(client), Name: "Panel"})
		if err != nil || !m.InUse {
			t.Fatal(err)
		}
		cert := parse(t, m.Certificate)
		if err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
			t.Error(err)
		}
		block, _ := pem.Decode([]byte(m.Request))
		if csr, err := x509.ParseCertificateRequest(block.Bytes); err != nil || csr.CheckSignature() != nil {
			t.Errorf("the request: %v", err)
		}
		if !m.Registration.NotAfter.Equal(start.Add(365 * 24 * time.Hour)) {
			t.Errorf("ends %s", m.Registration.NotAfter)
		}
		for _, text := range []string{m.Certificate, m.Request, fmt.Sprintf("%+v", m)} {
			if strings.Contains(text, "PRIVATE KEY") {
				t.Error("the key came out")
			}
		}
		works := func() {
			t.Helper()
			app, err := s.App(ctx, client)
			if err != nil {
				t.Fatal(err)
			}
			form := url.Values{}
			if err := app.Credential.Apply(ctx, form, "https://login.example/token", app.ClientID, start); err != nil || form.Get("client_assertion") == "" {
				t.Error(err)
			}
		}
		works()
		// Another one waits until it is used; the first goes on working.
		next, err := s.MakeCertificate(ctx, sam.NewCertificate{ClientID: client})
		if err != nil || next.InUse || sealedRows(t, d) != 2 {
			t.Fatal(err, sealedRows(t, d))
		}
		if r, err := s.Registration(ctx, client); err != nil || r.Thumbprint != m.Registration.Thumbprint {
			t.Errorf("%v %v", r, err)
		}
		works()
		if _, err := s.UseCertificate(ctx, client, m.Certificate); !errors.Is(err, problem.BadInput) {
			t.Errorf("a certificate of another key: %v", err)
		}
		if r, err := s.UseCertificate(ctx, client, ""); err != nil || r.Thumbprint != next.Registration.Thumbprint || sealedRows(t, d) != 1 {
			t.Errorf("%v %v, %d rows", r, err, sealedRows(t, d))
		}
		works()
		if _, err := s.AddRegistration(ctx, sam.Registration{ClientID: client, Kind: msapi.ClientSecret}, secret.New("s3cret")); err != nil ||
			sealedRows(t, d) != 1 {
			t.Errorf("%v, %d rows", err, sealedRows(t, d))
		}
		app, err := s.App(ctx, client)
		if err != nil || app.Credential.Kind() != msapi.ClientSecret {
			t.Error(err)
		}
		if list, err := s.Registrations(ctx); err != nil || len(list) != 1 {
			t.Error(list, err)
		}
		if _, err := s.RemoveRegistration(ctx, client); err != nil || sealedRows(t, d) != 0 {
			t.Errorf("%v, %d rows", err, sealedRows(t, d))
		}
	})
}

func parse(t *testing.T, text string) *x509.Certificate {
	t.Helper()
	block, _ := pem.Decode([]byte(text))
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// A new credential makes connections that were refused due, others not.
func TestNewCredentialHastens(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s, clock := store(t, d)
		ctx := t.Context()
		a := keep(t, s, captured(1))
		keep(t, s, captured(2))
		if _, err := s.Failed(ctx, a.ID, sam.Failure{From: 1, State: sam.Rejected, Trouble: sam.Trouble{Code: 7000222},
			Next: start.Add(24 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		clock.jump(time.Minute)
		if _, err := s.AddRegistration(ctx, sam.Registration{ClientID: a.ClientID, Kind: msapi.Public}, secret.Text{}); err != nil {
			t.Fatal(err)
		}
		if due, err := s.Due(ctx, 14*24*time.Hour, 10); err != nil || len(due) != 1 || due[0] != a.ID {
			t.Errorf("%v %v", due, err)
		}
	})
}

func TestAddRegistrationRefuses(t *testing.T) {
	t.Parallel()
	s, _ := store(t, dbtest.SQLite(t))
	const key = "-----BEGIN PRIVATE KEY-----\nbm9uc2Vuc2U=\n-----END PRIVATE KEY-----\n"
	for name, c := range map[string]struct {
		r    sam.Registration
		text string
	}{
		"no client id":   {sam.Registration{Kind: msapi.Public}, ""},
		"unknown kind":   {sam.Registration{ClientID: "x", Kind: "magic"}, ""},
		"no secret":      {sam.Registration{ClientID: "x", Kind: msapi.ClientSecret}, ""},
		"no file":        {sam.Registration{ClientID: "x", Kind: msapi.Federated}, ""},
		"no certificate": {sam.Registration{ClientID: "x", Kind: msapi.Certificate}, key},
		"nonsense certificate": {sam.Registration{ClientID: "x", Kind: msapi.Certificate,
			Certificate: "-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n"}, key},
		"a secret too many": {sam.Registration{ClientID: "x", Kind: msapi.Public}, "s3cret"},
	} {
		_, err := s.AddRegistration(t.Context(), c.r, secret.New(c.text))
		if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "bm9u") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
