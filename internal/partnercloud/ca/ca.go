package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"sync"
	"time"

	"partnerguard/internal/problem"
)

// Name is the subject of every root this package makes, so that whoever meets
// one in a list of certificates knows what it is.
const Name = "Partner cloud local CA (not Microsoft, do not trust elsewhere)"

const (
	rootLife = 365 * 24 * time.Hour
	leafLife = 30 * 24 * time.Hour
	// renewAhead is how long before its end a cached leaf is replaced.
	renewAhead = 7 * 24 * time.Hour
	// backdate forgives a client whose clock is a little behind.
	backdate = time.Hour
	// maxLeafs bounds the cache: names below the permitted hosts are many.
	maxLeafs = 256
)

// Authority is the local certificate authority. Safe for concurrent use; it
// starts no goroutine.
type Authority struct {
	now     func() time.Time
	root    *x509.Certificate
	rootKey *ecdsa.PrivateKey
	leafKey *ecdsa.PrivateKey
	spki    string

	mu    sync.Mutex // guards leafs; held while minting, so that a name is minted once
	leafs map[string]*tls.Certificate
}

// Open gives the authority kept in dir, and makes it on first use; two
// processes that do so at once end up with the same one. With an empty dir it
// lives in memory and ends with the process. Nil now means time.Now.
//
// A file that cannot be read whole, was made for other names, can be read by
// others, or has less than a leaf's life left is refused with what to do.
func Open(dir string, now func() time.Time) (*Authority, error) {
	if now == nil {
		now = time.Now
	}
	if dir == "" {
		b, err := generate(now())
		if err != nil {
			return nil, err
		}
		return b.authority(now), nil
	}
	return openDir(dir, now)
}

// bundle is what makes an authority: what its file holds.
type bundle struct {
	root             *x509.Certificate
	rootKey, leafKey *ecdsa.PrivateKey
}

func (b *bundle) authority(now func() time.Time) *Authority {
	der, err := x509.MarshalPKIXPublicKey(&b.leafKey.PublicKey)
	if err != nil {
		panic("ca: a P-256 key has no encoding: " + err.Error()) // the keys are ours or were checked
	}
	sum := sha256.Sum256(der)
	return &Authority{
		now: now, root: b.root, rootKey: b.rootKey, leafKey: b.leafKey,
		spki: base64.StdEncoding.EncodeToString(sum[:]), leafs: map[string]*tls.Certificate{},
	}
}

// generate makes a new root and the key that all its leafs will share.
func generate(now time.Time) (*bundle, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make root key: %w", err)
	}
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make leaf key: %w", err)
	}
	t := &x509.Certificate{
		SerialNumber:                serial(),
		Subject:                     pkix.Name{CommonName: Name, Organization: []string{"Partner cloud"}},
		NotBefore:                   now.Add(-backdate),
		NotAfter:                    now.Add(rootLife),
		IsCA:                        true,
		BasicConstraintsValid:       true,
		MaxPathLenZero:              true,
		KeyUsage:                    x509.KeyUsageCertSign,
		ExtKeyUsage:                 []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         Hosts(),
		PermittedIPRanges:           networks(),
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &rootKey.PublicKey, rootKey)
	if err != nil {
		return nil, fmt.Errorf("sign root: %w", err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read root back: %w", err)
	}
	return &bundle{root: root, rootKey: rootKey, leafKey: leafKey}, nil
}

// serial is 127 random bits: positive and at most 20 octets (RFC 5280, 4.1.2.2).
func serial() *big.Int {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b)
}

// GetCertificate answers a TLS hello with a leaf for its server name, or for
// localhost and the loopback addresses when it names none. A name outside the
// constraint is refused. It is made for [tls.Config.GetCertificate].
func (a *Authority) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := canonical(hello.ServerName)
	if name == "" {
		name = "localhost"
	}
	return a.leaf(name)
}

// leaf gives the cached leaf for name, or mints one.
func (a *Authority) leaf(name string) (*tls.Certificate, error) {
	if !permitted(name) {
		return nil, problem.New(problem.NotFound, "the local CA does not vouch for %.80q", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if c := a.leafs[name]; c != nil && now.Before(c.Leaf.NotAfter.Add(-renewAhead)) {
		return c, nil
	}
	c, err := a.mint(name, now)
	if err != nil {
		return nil, err
	}
	if len(a.leafs) >= maxLeafs {
		clear(a.leafs) // minting again costs well under a millisecond
	}
	a.leafs[name] = c
	return c, nil
}

func (a *Authority) mint(name string, now time.Time) (*tls.Certificate, error) {
	end := now.Add(leafLife)
	if a.root.NotAfter.Before(end) {
		end = a.root.NotAfter
	}
	t := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{Organization: []string{"Partner cloud (local, not Microsoft)"}},
		NotBefore:    now.Add(-backdate),
		NotAfter:     end,
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	switch ip := net.ParseIP(name); {
	case ip != nil:
		t.IPAddresses = []net.IP{ip}
	case name == "localhost":
		t.DNSNames = []string{name}
		t.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	default:
		t.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.root, &a.leafKey.PublicKey, a.rootKey)
	if err != nil {
		return nil, fmt.Errorf("sign leaf for %q: %w", name, err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read leaf back: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, a.root.Raw}, PrivateKey: a.leafKey, Leaf: leaf}, nil
}

// PEM is the root certificate, without any key.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

// Pool holds the root and nothing else.
func (a *Authority) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.root)
	return p
}

// SPKI is the base64 SHA-256 of the public key that every leaf carries, in the
// form of Chromium's --ignore-certificate-errors-spki-list.
func (a *Authority) SPKI() string { return a.spki }

// NotAfter is when the root ends.
func (a *Authority) NotAfter() time.Time { return a.root.NotAfter }
