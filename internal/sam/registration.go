package sam

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/vault"
)

// AddRegistration keeps an app of ours with what proves it, over what was kept
// for the same client id: for a certificate its key as PKCS #8 PEM (the public
// part in r.Certificate), for a secret the secret; nothing for the others.
// Connections of the app that were refused are due at once.
//
// Kind problem.BadInput says what of it does not fit together.
func (s *Store) AddRegistration(ctx context.Context, r Registration, material secret.Text) (Registration, error) {
	if r.ClientID == "" || len(r.ClientID) > maxText {
		return Registration{}, problem.New(problem.Usage, "an app has a client id")
	}
	sealed := ""
	switch r.Kind {
	case msapi.Certificate:
		cert, err := parseCertificate(r.Certificate)
		if err != nil {
			return Registration{}, err
		}
		key, err := parseKey(material)
		if err != nil {
			return Registration{}, err
		}
		if pub, ok := cert.PublicKey.(*rsa.PublicKey); !ok || !pub.Equal(&key.PublicKey) {
			return Registration{}, problem.New(problem.BadInput, "the private key is not the certificate's")
		}
		r.Thumbprint, r.NotAfter = thumbprint(cert), stamp(cert.NotAfter)
		sealed = r.Thumbprint
	case msapi.ClientSecret:
		if material.IsZero() {
			return Registration{}, problem.New(problem.Usage, "there is no secret")
		}
		r.Thumbprint, r.Certificate = "", ""
		sealed = sealedSecret
	case msapi.Federated:
		if r.File == "" {
			return Registration{}, problem.New(problem.Usage, "a federated credential is read from a file")
		}
	case msapi.Public:
	default:
		return Registration{}, problem.New(problem.Usage, "there is no kind of credential %.40q", string(r.Kind))
	}
	if sealed == "" && !material.IsZero() {
		return Registration{}, problem.New(problem.Internal, "a %s credential has nothing to seal", r.Kind)
	}
	r.ClientID, r.NotAfter = lower(r.ClientID), stamp(r.NotAfter)
	if r.Created.IsZero() {
		r.Created = s.now()
	}
	r.Created = stamp(r.Created)
	err := s.d.InTx(ctx, func(ctx context.Context) error {
		old, err := s.registrationAsIs(ctx, r.ClientID) // it is replaced, whoever wrote it
		if err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
		if sealed != "" {
			if err := s.v.Put(ctx, appRef(r.ClientID, sealed), material); err != nil {
				return err
			}
		}
		var drop []string
		if old != nil {
			drop = append(drop, old.sealed)
			if old.waiting != nil {
				drop = append(drop, old.waiting.Thumbprint)
			}
		}
		return s.settle(ctx, r, sealed, drop)
	})
	if err != nil {
		return Registration{}, wrap(err, "keep an app's credential")
	}
	return r, nil
}

const sealedSecret = "secret"

// settle makes r the registration, deletes sealed rows that it does not need,
// and makes its connections due.
func (s *Store) settle(ctx context.Context, r Registration, sealed string, drop []string) error {
	for _, name := range drop {
		if name == "" || name == sealed {
			continue
		}
		if err := s.v.Delete(ctx, appRef(r.ClientID, name)); err != nil && !errors.Is(err, problem.NotFound) {
			return err
		}
	}
	if err := s.putRegistration(ctx, r, sealed, nil); err != nil {
		return err
	}
	if err := s.hasten(ctx, r.ClientID); err != nil {
		return err
	}
	return nil
}

func (s *Store) putRegistration(ctx context.Context, r Registration, sealed string, waiting *Registration) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	next := ""
	if waiting != nil {
		b, err := json.Marshal(waiting)
		if err != nil {
			return err
		}
		next = string(b)
	}
	mark, err := s.v.Mark(ctx, Registrations, r.ClientID, sealed, next, string(body))
	if err != nil {
		return err
	}
	_, err = s.d.ExecContext(ctx, putRegistration, r.ClientID, sealed, next, string(body), mark)
	return err
}

type registrationRow struct {
	Registration
	sealed  string
	waiting *Registration
	forged  error
}

// registration reads an app that may be used: one whose row is not as it was
// written is refused by name.
func (s *Store) registration(ctx context.Context, clientID string) (*registrationRow, error) {
	r, err := s.registrationAsIs(ctx, clientID)
	if err == nil && r.forged != nil {
		return nil, r.forged
	}
	return r, err
}

func (s *Store) registrationAsIs(ctx context.Context, clientID string) (*registrationRow, error) {
	var id, sealed, waiting, body string
	var mark []byte
	err := s.d.QueryRowContext(ctx, readRegistration, lower(clientID)).Scan(&id, &sealed, &waiting, &body, &mark)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "this installation has no credential for the app %.80s", clientID).
			WithHint("partnerguard connect makes or takes one")
	} else if err != nil {
		return nil, err
	}
	if id != lower(clientID) {
		return nil, wrap(vault.Other(Registrations, lower(clientID)), "find an app")
	}
	r := registrationRow{sealed: sealed}
	if err := s.v.Fits(ctx, Registrations, mark, id, sealed, waiting, body); errors.Is(err, vault.ErrForged) {
		// Enough to be replaced or removed.
		r.forged, r.ClientID = err, id
		return &r, nil
	} else if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(body), &r.Registration); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the record of the app %.80s cannot be read", clientID).WithHint("add its credential again")
	}
	if waiting != "" {
		if err := json.Unmarshal([]byte(waiting), &r.waiting); err != nil {
			r.waiting = nil // it was never in use: make another
		}
	}
	return &r, nil
}

// Registration gives what is known of an app. Kind problem.NotFound when it is
// none of ours.
func (s *Store) Registration(ctx context.Context, clientID string) (Registration, error) {
	r, err := s.registration(ctx, clientID)
	if err != nil {
		return Registration{}, wrap(err, "find an app")
	}
	return r.Registration, nil
}

// Waiting gives the certificate that was made for an app and is not in use yet;
// nil when there is none.
func (s *Store) Waiting(ctx context.Context, clientID string) (*Registration, error) {
	r, err := s.registration(ctx, clientID)
	if err != nil {
		return nil, wrap(err, "find an app")
	}
	return r.waiting, nil
}

// Registrations lists the apps by client id. One whose record cannot be read, or
// is not as it was written, comes with its client id alone.
func (s *Store) Registrations(ctx context.Context) ([]Registration, error) {
	rows, err := s.d.QueryContext(ctx, readApps)
	if err != nil {
		return nil, wrap(err, "list the apps")
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, wrap(err, "list the apps")
		}
		ids = append(ids, id)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, wrap(err, "list the apps")
	}
	out := []Registration{}
	for _, id := range ids {
		r, err := s.registrationAsIs(ctx, id)
		switch {
		case errors.Is(err, problem.NotFound):
			continue // removed meanwhile
		case errors.Is(err, problem.BadInput):
			out = append(out, Registration{ClientID: id, Name: "its record cannot be read"})
			continue
		case err != nil:
			return nil, wrap(err, "list the apps")
		case r.forged != nil:
			out = append(out, Registration{ClientID: id, Name: "its row was written by something else: add its credential again"})
			continue
		}
		out = append(out, r.Registration)
	}
	return out, nil
}

// RemoveRegistration forgets an app with its sealed credential, also one that
// waits. Connections of it stay and can no longer be renewed.
func (s *Store) RemoveRegistration(ctx context.Context, clientID string) (Registration, error) {
	var gone Registration
	err := s.d.InTx(ctx, func(ctx context.Context) error {
		r, err := s.registrationAsIs(ctx, clientID)
		if err != nil {
			return err
		}
		names := []string{r.sealed}
		if r.waiting != nil {
			names = append(names, r.waiting.Thumbprint)
		}
		for _, name := range names {
			if name == "" {
				continue
			}
			if err := s.v.Delete(ctx, appRef(r.ClientID, name)); err != nil && !errors.Is(err, problem.NotFound) {
				return err
			}
		}
		if _, err := s.d.ExecContext(ctx, deleteRegistration, r.ClientID); err != nil {
			return err
		}
		gone = r.Registration
		return nil
	})
	return gone, wrap(err, "remove an app's credential")
}

// App gives an app with its credential, opened, ready to ask Entra ID with.
func (s *Store) App(ctx context.Context, clientID string) (msapi.App, error) {
	r, err := s.registration(ctx, clientID)
	if err != nil {
		return msapi.App{}, wrap(err, "find an app")
	}
	app := msapi.App{ClientID: r.ClientID}
	var material secret.Text
	if r.sealed != "" {
		if material, err = s.v.Get(ctx, appRef(r.ClientID, r.sealed)); err != nil {
			return msapi.App{}, wrap(err, "open an app's credential")
		}
	}
	switch r.Kind {
	case msapi.Certificate:
		cert, err := parseCertificate(r.Certificate)
		if err != nil {
			return msapi.App{}, err
		}
		key, err := parseKey(material)
		if err != nil {
			return msapi.App{}, err
		}
		app.Credential, err = msapi.NewCertificate(cert, key, msapi.CertificateOptions{})
		return app, err
	case msapi.ClientSecret:
		app.Credential, err = msapi.NewSecret(material, r.NotAfter)
		return app, err
	case msapi.Federated:
		app.Credential, err = msapi.NewFederatedFile(r.File)
		return app, err
	case msapi.Public:
		app.Credential = msapi.NewPublic()
		return app, nil
	}
	return msapi.App{}, problem.New(problem.BadInput, "the app %s has a kind of credential that this program does not know", r.ClientID)
}

// maxPEM bounds what is parsed as a certificate or key.
const maxPEM = 64 << 10

func parseCertificate(text string) (*x509.Certificate, error) {
	if len(text) > maxPEM {
		return nil, problem.New(problem.Limit, "a certificate has at most %d bytes", maxPEM)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, problem.New(problem.BadInput, "there is no certificate in PEM form")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the certificate cannot be read")
	}
	return cert, nil
}

// parseKey reads an RSA key of at least 2048 bits as PKCS #8 or PKCS #1 PEM.
// Errors say nothing of its content.
func parseKey(text secret.Text) (*rsa.PrivateKey, error) {
	if len(text.Reveal()) > maxPEM {
		return nil, problem.New(problem.Limit, "a private key has at most %d bytes", maxPEM)
	}
	block, _ := pem.Decode([]byte(text.Reveal()))
	if block == nil {
		return nil, problem.New(problem.BadInput, "there is no private key in PEM form")
	}
	var key *rsa.PrivateKey
	if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		key, _ = parsed.(*rsa.PrivateKey)
	} else if parsed, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		key = parsed
	}
	if key == nil {
		return nil, problem.New(problem.BadInput, "the private key is no RSA key in PKCS #8 form").
			WithHint("Entra ID takes RSA keys for apps; openssl pkcs8 -topk8 -nodes converts")
	}
	if key.N.BitLen() < 2048 {
		return nil, problem.New(problem.BadInput, "the private key has %d bits; 2048 are the least", key.N.BitLen())
	}
	return key, nil
}

// thumbprint is the SHA-256 of a certificate in hex.
func thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}
