package sam

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"time"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// Entra ID takes RSA keys alone for app certificates. 3072 bits: NIST SP 800-57
// part 1 lets 2048 go out of use after 2030, and one signature an access token
// makes the difference in speed not worth a thought.
const keyBits = 3072

// Life of a certificate: renewed yearly by default, at most two years.
const (
	defaultLife = 365 * 24 * time.Hour
	maxLife     = 2 * defaultLife
)

// NewCertificate says what certificate to make.
type NewCertificate struct {
	ClientID string        // required
	Tenant   string        // where the app lives
	Name     string        // of the app, for reading; also in the certificate
	Life     time.Duration // 0: a year; at most two
}

// Made is a certificate whose key is in the vault.
type Made struct {
	Registration Registration
	// Certificate and Request are PEM and public: the first goes to the app
	// registration as it is, the second to an authority of the user's own.
	Certificate, Request string
	// InUse says that it is the app's credential already. Otherwise the app has
	// another one that goes on working, and this one waits for UseCertificate.
	InUse bool
}

// MakeCertificate makes a key, self-signed certificate and certificate request
// for an app. The key goes to the vault and never anywhere else. An app without
// a credential has it as its credential at once; otherwise it takes the place of
// one that was waiting.
func (s *Store) MakeCertificate(ctx context.Context, n NewCertificate) (Made, error) {
	switch {
	case n.ClientID == "" || len(n.ClientID) > 64:
		return Made{}, problem.New(problem.Usage, "an app has a client id")
	case n.Life < 0 || n.Life > maxLife:
		return Made{}, problem.New(problem.Usage, "a certificate lives two years at most")
	case n.Life == 0:
		n.Life = defaultLife
	}
	now := s.now().UTC()
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return Made{}, problem.Wrap(err, problem.Internal, "no key could be made")
	}
	name := pkix.Name{CommonName: "partnerguard " + lower(n.ClientID)}
	if n.Name != "" && len(n.Name) <= 64 {
		name.OrganizationalUnit = []string{n.Name}
	}
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(token.Bytes(16)), Subject: name,
		NotBefore: now.Add(-5 * time.Minute), NotAfter: now.Add(n.Life).Truncate(time.Second), // clocks differ a little
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true, SignatureAlgorithm: x509.SHA256WithRSA,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return Made{}, problem.Wrap(err, problem.Internal, "no certificate could be made")
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return Made{}, problem.Wrap(err, problem.Internal, "no certificate could be made")
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: name, SignatureAlgorithm: x509.SHA256WithRSA}, key)
	if err != nil {
		return Made{}, problem.Wrap(err, problem.Internal, "no certificate request could be made")
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Made{}, problem.Wrap(err, problem.Internal, "no key could be made")
	}
	defer clear(pkcs8)
	material := secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})))
	m := Made{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		Request:     string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})),
	}
	m.Registration = Registration{
		ClientID: lower(n.ClientID), Tenant: n.Tenant, Name: n.Name, Kind: msapi.Certificate,
		Thumbprint: thumbprint(cert), Certificate: m.Certificate, NotAfter: stamp(cert.NotAfter), Created: stamp(now),
	}
	err = s.d.InTx(ctx, func(ctx context.Context) error {
		old, err := s.registration(ctx, n.ClientID)
		if err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
		if err := s.v.Put(ctx, appRef(m.Registration.ClientID, m.Registration.Thumbprint), material); err != nil {
			return err
		}
		if m.InUse = old == nil; m.InUse {
			return s.settle(ctx, m.Registration, m.Registration.Thumbprint, nil)
		}
		if old.waiting != nil {
			if err := s.v.Delete(ctx, appRef(old.ClientID, old.waiting.Thumbprint)); err != nil && !errors.Is(err, problem.NotFound) {
				return err
			}
		}
		if err := s.putRegistration(ctx, old.Registration, old.sealed, &m.Registration); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return Made{}, wrap(err, "make a certificate")
	}
	return m, nil
}

// UseCertificate makes the waiting certificate of an app its credential, after
// it was put on the app registration; the earlier credential is deleted. signed
// is the certificate that an authority issued for the request, as PEM; "" uses
// the self-signed one. Connections that were refused are due at once.
func (s *Store) UseCertificate(ctx context.Context, clientID, signed string) (Registration, error) {
	var out Registration
	err := s.d.InTx(ctx, func(ctx context.Context) error {
		old, err := s.registration(ctx, clientID)
		if err != nil {
			return err
		}
		next := old.waiting
		if next == nil && signed != "" && old.Kind == msapi.Certificate {
			next = &old.Registration // the very first one, issued by an authority later
		}
		if next == nil {
			return problem.New(problem.NotFound, "no certificate waits for the app %.80s", clientID).WithHint("make one first")
		}
		made, out2 := next.Thumbprint, *next
		material, err := s.v.Get(ctx, appRef(old.ClientID, made))
		if err != nil {
			return err
		}
		if signed != "" {
			cert, err := parseCertificate(signed)
			if err != nil {
				return err
			}
			key, err := parseKey(material)
			if err != nil {
				return err
			}
			if pub, ok := cert.PublicKey.(*rsa.PublicKey); !ok || !pub.Equal(&key.PublicKey) {
				return problem.New(problem.BadInput, "the certificate is for another key than the one that was made")
			}
			out2.Thumbprint, out2.NotAfter = thumbprint(cert), stamp(cert.NotAfter)
			out2.Certificate = string(bytes.TrimSpace(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))) + "\n"
			if err := s.v.Put(ctx, appRef(old.ClientID, out2.Thumbprint), material); err != nil {
				return err
			}
		}
		out = out2
		return s.settle(ctx, out, out.Thumbprint, []string{old.sealed, made})
	})
	if err != nil {
		return Registration{}, wrap(err, "use a certificate")
	}
	return out, nil
}
