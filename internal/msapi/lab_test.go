package msapi_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/secret"
)

const (
	samAgent = "sam-agent@contoso.com"
	admin    = "ravi.menon@contoso.com"
	panelApp = "5a1e3c1f-6f0b-4c56-8f39-2d7c7a3b9e10"
	redirect = "http://localhost:8400/callback"
)

// lab is a running partner cloud and a client of it.
type lab struct {
	*labtest.Lab
	s     *partnercloud.Server
	i     partnercloud.Info
	cloud msapi.Cloud
	c     *msapi.Client

	rights int // how often a test changed them
	mu     sync.Mutex
	waited []time.Duration
}

func newLab(t testing.TB, change ...func(*msapi.Options)) *lab {
	t.Helper()
	return labOf(labtest.Start(t), change...)
}

// newBigLab is a cloud whose lists are longer than a page, and whose logs have
// something to say.
func newBigLab(t testing.TB) *lab {
	t.Helper()
	l := labOf(labtest.Start(t, func(o *partnercloud.Options) { o.Users, o.Customers = 350, 40 }))
	for i := range 5 {
		l.Graph("PATCH", "/v1.0/users/"+admin, `{"displayName":"Ravi `+string(rune('A'+i))+`"}`)
	}
	return l
}

func labOf(rig *labtest.Lab, change ...func(*msapi.Options)) *lab {
	l := &lab{Lab: rig, s: rig.Server, i: rig.Info, cloud: rig.Cloud}
	l.c = l.another(change...)
	return l
}

// another is a client that remembers no throttle, and waits for none.
func (l *lab) another(change ...func(*msapi.Options)) *msapi.Client {
	return l.Client(append([]func(*msapi.Options){func(o *msapi.Options) {
		o.Wait = func(ctx context.Context, d time.Duration) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.waited = append(l.waited, d)
			return ctx.Err()
		}
	}}, change...)...)
}

func (l *lab) app() msapi.App                  { l.Helper(); return l.App(panelApp) }
func (l *lab) consent(upn string) *msapi.Grant { l.Helper(); return l.Grant(panelApp, upn) }
func (l *lab) code(upn string, change ...func(*msapi.AuthorizeRequest)) msapi.RedeemRequest {
	l.Helper()
	return l.Code(panelApp, upn, change...)
}

func (l *lab) refresh(tenant string, rt secret.Text, scope string) (*msapi.Grant, error) {
	return l.c.Refresh(l.Context(), msapi.RefreshRequest{Cloud: l.cloud, App: l.app(), Tenant: tenant, Refresh: rt, Scope: scope})
}

func (l *lab) customer(domain string) string {
	l.Helper()
	var id string
	l.s.World.Read(func(s *world.State) {
		if c := s.PartnerTenant().CustomerOf(domain); c != nil {
			id = c.TenantID
		}
	})
	if id == "" {
		l.Fatalf("no customer %s", domain)
	}
	return id
}

// rsaKey is one key for all tests: making one is slow.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return k
})

func certificate(t testing.TB, key *rsa.PrivateKey, from, until time.Time) *x509.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
