//go:build !judge

package doorbell

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Trust says by whose signature a ring is believed.
type Trust struct {
	// Hosts are where certificates are fetched; one that begins with a dot stands for the names
	// under it.
	Hosts []string
	// Issuers are where certificates of issuers are fetched that a certificate names.
	Issuers []string
	Roots   *x509.CertPool // nil: the system's
	// Keys are the SHA-256 of the public keys of the roots that a chain may end at, in hex: of
	// the authorities that Microsoft uses, since any other might be led to write its name.
	Keys         []string
	Organization string // of the certificate's subject, the whole of it
	// Local is the laboratory: the base URL of its Partner Center, from which alone
	// certificates are then fetched, and which signs them itself. "" outside of one.
	Local string
	// Transport fetches; nil is one that reaches public addresses alone.
	Transport http.RoundTripper
}

// Microsoft is the trust in Partner Center: the host of its published example, and names of
// Microsoft's own; roots of the Microsoft and DigiCert authorities.
func Microsoft() Trust {
	return Trust{
		Hosts:   []string{"3psostorageacct.blob.core.windows.net", ".microsoft.com", ".partnercenterapi.microsoftonline.cn"},
		Issuers: []string{".microsoft.com", ".digicert.com"},
		Keys: []string{
			"b2f7298b52bf2c3cac4ddfe72de4d682ac58957595982f2b62301af597c699c5", // Microsoft RSA Root Certificate Authority 2017
			"35f53ce1264611e03340fe37e1ec7d4cc986c5613dca70fd04aa44545f2daf28", // Microsoft ECC Root Certificate Authority 2017
			"8bb593a93be1d0e8a822bb887c547890c3e706aad2dab76254f97fb36b82fc26", // DigiCert Global Root G2
			"b94c198300cec5c057ad0727b70bbe91816992256439a7b32f4598119dda9c97", // DigiCert Global Root G3
			"aff988906dde12955d9bebbf928fdcc31cce328d5b9384f21c8941ca26e20391", // DigiCert Global Root CA
			"6a97b51c8219e93e5dec64bad5806cdeb0f8355be47e757010b702456e01aafd", // DigiCert TLS RSA4096 Root G5
			"a02fafa192c8cb81cb1341554f9c05b71cca2a890b0d1298d683647c961efbdf", // DigiCert TLS ECC P384 Root G5
		},
		Organization: "Microsoft Corporation",
	}
}

// Laboratory is the trust in a local partner cloud, and in nothing else.
func Laboratory(partnerCenter string, transport http.RoundTripper) Trust {
	return Trust{Local: strings.TrimSuffix(partnerCenter, "/"), Organization: "Partner cloud", Transport: transport}
}

// The bounds of what is fetched.
const (
	maxAddress     = 1 << 10
	maxCertificate = 32 << 10
	fetchFor       = 10 * time.Second
	maxIssuers     = 3
)

// place checks the address of a certificate before anything is asked there.
func (t *Trust) place(text string) (*url.URL, bool) {
	if len(text) > maxAddress || strings.ContainsAny(text, "\\ \t\r\n") {
		return nil, false
	}
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.HasSuffix(text, "#") || strings.Contains(u.Path, "..") {
		return nil, false
	}
	if t.Local != "" {
		return u, u.Scheme+"://"+u.Host == t.Local
	}
	return u, u.Scheme == "https" && u.Port() == "" && !strings.HasSuffix(u.Host, ":") && among(t.Hosts, u.Hostname())
}

// among says whether a name is one of hosts, or under one that begins with a dot.
func among(hosts []string, name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(hosts, func(h string) bool {
		return name == h || strings.HasPrefix(h, ".") && len(name) > len(h) && strings.HasSuffix(name, h)
	})
}

// public is a transport that reaches public addresses alone, whatever a name leads to; behind
// a proxy of the environment it is the proxy that resolves names.
func public() http.RoundTripper {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: fetchFor, ResponseHeaderTimeout: fetchFor, MaxIdleConns: 2,
		IdleConnTimeout: 5 * time.Second, MaxResponseHeaderBytes: 32 << 10}
	probe := &http.Request{URL: &url.URL{Scheme: "https", Host: "www.microsoft.com"}}
	if by, err := http.ProxyFromEnvironment(probe); err == nil && by != nil {
		return t
	}
	d := &net.Dialer{Timeout: fetchFor, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return errBad("place")
		}
		if a := at.Addr().Unmap(); !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || shared.Contains(a) {
			return errBad("place")
		}
		return nil
	}}
	t.DialContext = d.DialContext
	return t
}

// shared is address space between carriers and their customers (RFC 6598).
var shared = netip.MustParsePrefix("100.64.0.0/10")

// chainOf parses what was fetched: one certificate, or several as PEM, the signer's first.
func chainOf(raw []byte) (leaf *x509.Certificate, more []*x509.Certificate, ok bool) {
	var all []*x509.Certificate
	if block, rest := pem.Decode(raw); block != nil {
		for ; block != nil && len(all) < 2*maxIssuers; block, rest = pem.Decode(rest) {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil || block.Type != "CERTIFICATE" {
				return nil, nil, false
			}
			all = append(all, c)
		}
	} else if c, err := x509.ParseCertificate(raw); err == nil {
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, nil, false
	}
	return all[0], all[1:], true
}

// believed says why a certificate is not believed; "" it is. Issuers that are missing are
// fetched by way of fetch.
func (t *Trust) believed(ctx context.Context, leaf *x509.Certificate, more []*x509.Certificate, now time.Time, fetch func(context.Context, string) []byte) string {
	key, is := leaf.PublicKey.(*rsa.PublicKey)
	switch {
	case !is || key.N.BitLen() < 2048 || key.N.BitLen() > 8192:
		return "key"
	case now.Before(leaf.NotBefore), now.After(leaf.NotAfter):
		return "expired"
	case len(leaf.Subject.Organization) != 1 || leaf.Subject.Organization[0] != t.Organization:
		return "organization"
	case t.Local != "":
		return "" // it came from the laboratory itself, by TLS
	case leaf.IsCA:
		return "authority"
	}
	pool := x509.NewCertPool()
	for _, c := range more {
		pool.AddCert(c)
	}
	for at, n := leaf, 0; ; n++ {
		chains, err := leaf.Verify(x509.VerifyOptions{Roots: t.Roots, Intermediates: pool, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		if err == nil {
			if slices.ContainsFunc(chains, t.rooted) {
				return ""
			}
			return "root"
		}
		if at = issuer(ctx, t, at, fetch); at == nil || n >= maxIssuers {
			return "chain"
		}
		pool.AddCert(at)
	}
}

// rooted says that a chain ends at a root of the authorities that are trusted for this.
func (t *Trust) rooted(chain []*x509.Certificate) bool {
	sum := sha256.Sum256(chain[len(chain)-1].RawSubjectPublicKeyInfo)
	return slices.Contains(t.Keys, hex.EncodeToString(sum[:]))
}

// issuer fetches the certificate of a certificate's issuer from where it says (RFC 5280
// section 4.2.2.1): plain HTTP does, since the chain is what proves it.
func issuer(ctx context.Context, t *Trust, c *x509.Certificate, fetch func(context.Context, string) []byte) *x509.Certificate {
	for _, text := range c.IssuingCertificateURL[:min(len(c.IssuingCertificateURL), 2)] {
		u, err := url.Parse(text)
		if err != nil || len(text) > maxAddress || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.Port() != "" || u.RawQuery != "" ||
			!among(t.Issuers, u.Hostname()) {
			continue
		}
		if found, _, ok := chainOf(fetch(ctx, text)); ok && found.IsCA {
			return found
		}
	}
	return nil
}
