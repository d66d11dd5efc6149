package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const (
	tenant   = "7b2d6c1e-93a4-4f58-8d20-5e1f0c9a7b36"
	audience = "api://panel"
	issuer   = "https://sts.windows.net/" + tenant + "/"
)

// signer makes tokens of the form of Entra ID, version 1, with its key at peers' hands
// as files.
type signer struct {
	key *rsa.PrivateKey
	kid string
	dir string // public.pem, cert.pem (of the token's key); tls.pem, tls.crt, tls.key
}

func newSigner(dir string) *signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	s := &signer{key: key, dir: dir}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(err)
	sum := sha256.Sum256(public)
	s.kid = base64.RawURLEncoding.EncodeToString(sum[:20])
	write(filepath.Join(dir, "public.pem"), block("PUBLIC KEY", public))
	write(filepath.Join(dir, "cert.pem"), block("CERTIFICATE", selfSigned(key)))
	served, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	private, err := x509.MarshalPKCS8PrivateKey(served)
	must(err)
	crt, pk := block("CERTIFICATE", selfSigned(served)), block("PRIVATE KEY", private)
	write(filepath.Join(dir, "tls.crt"), crt)
	write(filepath.Join(dir, "tls.key"), pk)
	write(filepath.Join(dir, "tls.pem"), append(crt, pk...))
	return s
}

func selfSigned(key *rsa.PrivateKey) []byte {
	t := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	must(err)
	return der
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// claims are those of an access token of somebody who signed in with MFA, an hour long.
func (s *signer) claims(n int) map[string]any {
	now := time.Now().Unix()
	return map[string]any{
		"aud": audience, "iss": issuer, "iat": now - 60, "nbf": now - 60, "exp": now + 3600, "acr": "1",
		"aio": "AVQAq/8TAAAAqDq4tPZc8lq0g3yKp7c1r2Xw5V6dS9hQJmZl0nUeYbTfRkWvXo", "amr": []string{"pwd", "mfa"},
		"appid": "1950a258-227b-4e31-a9cf-717495945fc2", "appidacr": "0", "family_name": "Lovelace", "given_name": "Ada", "ipaddr": "203.0.113.9",
		"name": "Ada Lovelace", "oid": fmt.Sprintf("5f3a2b1c-0d9e-4c7b-8a6f-%012x", n), "rh": "0.AXkAHmwte6STWE-NIF4fDJp7NgDkB7b2mR9Pq0dLxkZ3nVQ.",
		"scp": "user_impersonation", "sid": "00c0ffee-1234-4abc-9def-0123456789ab", "sub": "pR7bqX2sVn5tKfLm9WcYdZgHjQeRuTiOaSxCvBnM3kE",
		"tid": tenant, "unique_name": "ada@contoso.example", "upn": "ada@contoso.example", "uti": fmt.Sprintf("u%021x", n), "ver": "1.0",
		"acrs": []string{"c1"}, "roles": []string{"Reader", "Admin"}, "xms_cc": []string{"cp1"}, "auth_time": now - 120,
	}
}

func (s *signer) mint(claims map[string]any) string {
	header, err := json.Marshal(map[string]string{"typ": "JWT", "alg": "RS256", "kid": s.kid, "x5t": s.kid})
	must(err)
	body, err := json.Marshal(claims)
	must(err)
	text := base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	must(err)
	return text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// keySet is the JWKS that the gateway's authority serves.
func (s *signer) keySet() []byte {
	b, err := json.Marshal(map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "use": "sig", "kid": s.kid, "alg": "RS256", "n": base64.RawURLEncoding.EncodeToString(s.key.N.Bytes()), "e": "AQAB",
	}}})
	must(err)
	return b
}

func write(path string, b []byte) { must(os.WriteFile(path, b, 0o644)) }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gateway-bench:", err)
		os.Exit(1)
	}
}
