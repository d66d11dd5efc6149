package main

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	_ "crypto/sha512" // the digests of stamps
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"time"
)

// A time stamp token (RFC 3161) is a CMS SignedData (RFC 5652) over a TSTInfo.
type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content struct {
		Version int
		Digests asn1.RawValue
		Content struct {
			Type    asn1.ObjectIdentifier
			Content []byte `asn1:"explicit,tag:0"`
		}
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []signerInfo  `asn1:"set"`
	} `asn1:"explicit,tag:0"`
}

type signerInfo struct {
	Version int
	ID      struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	Digest    pkix.AlgorithmIdentifier
	Signed    asn1.RawValue `asn1:"tag:0"`
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
	Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
}

type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Hash      []byte
	}
	Serial *big.Int
	Time   time.Time `asn1:"generalized"`
}

var (
	oidSignedData  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidCertV2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidSHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidEKU         = asn1.ObjectIdentifier{2, 5, 29, 37}
)

// digests are those that count; signatures how a key signs with each.
var digests = map[string]crypto.Hash{
	"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

var signatures = map[x509.PublicKeyAlgorithm]map[crypto.Hash]x509.SignatureAlgorithm{
	x509.RSA:   {crypto.SHA256: x509.SHA256WithRSA, crypto.SHA384: x509.SHA384WithRSA, crypto.SHA512: x509.SHA512WithRSA},
	x509.ECDSA: {crypto.SHA256: x509.ECDSAWithSHA256, crypto.SHA384: x509.ECDSAWithSHA384, crypto.SHA512: x509.ECDSAWithSHA512},
}

// stamped checks a token over data: the imprint, the signature and by which certificate;
// with roots, that it is for time stamps, comes from one of them, and was valid then.
func stamped(raw, data []byte, roots *x509.CertPool) (at time.Time, trusted bool, err error) {
	var c contentInfo
	if rest, err := asn1.Unmarshal(raw, &c); err != nil || len(rest) > 0 || !c.Type.Equal(oidSignedData) || !c.Content.Content.Type.Equal(oidTSTInfo) ||
		len(c.Content.Signers) != 1 {
		return at, false, errors.New("it is no time stamp token of one signer")
	}
	var info tstInfo
	sum := sha256.Sum256(data)
	if _, err := asn1.Unmarshal(c.Content.Content.Content, &info); err != nil || !info.Imprint.Algorithm.Algorithm.Equal(oidSHA256) ||
		!bytes.Equal(info.Imprint.Hash, sum[:]) {
		return at, false, errors.New("it stamps something else")
	}
	certs, err := x509.ParseCertificates(c.Content.Certificates.Bytes)
	if err != nil {
		return at, false, errors.New("its certificates cannot be read")
	}
	signer, err := signedBy(&c.Content.Signers[0], c.Content.Content.Content, certs)
	if err != nil || roots == nil {
		return info.Time.UTC(), false, err
	}
	between := x509.NewCertPool()
	for _, cert := range certs {
		between.AddCert(cert)
	}
	trusted = slices.ContainsFunc(signer.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidEKU) && e.Critical })
	if _, err := signer.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: info.Time,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}}); err != nil || !trusted || len(signer.ExtKeyUsage) != 1 {
		return at, false, errors.New("its signer is not for time stamps alone, does not come from a given root, or was not valid then")
	}
	return info.Time.UTC(), true, nil
}

// signedBy gives the certificate that signed, whose hash is among what was signed.
func signedBy(s *signerInfo, content []byte, certs []*x509.Certificate) (*x509.Certificate, error) {
	digest, ok := digests[s.Digest.Algorithm.String()]
	if !ok {
		return nil, errors.New("its digest is too weak")
	}
	h := digest.New()
	h.Write(content)
	attrs := map[string][]byte{}
	for rest := s.Signed.Bytes; len(rest) > 0; {
		var err error
		var a struct {
			Type   asn1.ObjectIdentifier
			Values asn1.RawValue `asn1:"set"`
		}
		if rest, err = asn1.Unmarshal(rest, &a); err != nil || attrs[a.Type.String()] != nil {
			return nil, errors.New("what was signed cannot be read")
		}
		attrs[a.Type.String()] = a.Values.Bytes
	}
	var said []byte
	var kind asn1.ObjectIdentifier
	_, err := asn1.Unmarshal(attrs[oidDigest.String()], &said)
	_, err2 := asn1.Unmarshal(attrs[oidContentType.String()], &kind)
	if err != nil || err2 != nil || !bytes.Equal(said, h.Sum(nil)) || !kind.Equal(oidTSTInfo) {
		return nil, errors.New("what was signed is not what it says, or no time stamp")
	}
	// The attributes are signed as the SET that they are, not with the tag they go by.
	set := bytes.Clone(s.Signed.FullBytes)
	set[0] = 0x31
	for _, cert := range certs {
		if cert.SerialNumber.Cmp(s.ID.Serial) != 0 || !bytes.Equal(cert.RawIssuer, s.ID.Issuer.FullBytes) {
			continue
		}
		if err := cert.CheckSignature(signatures[cert.PublicKeyAlgorithm][digest], set, s.Signature); err != nil {
			return nil, errors.New("its signature is wrong")
		}
		if !names(attrs[oidCertV2.String()], cert) {
			return nil, errors.New("it was signed by another certificate than it says (ESSCertIDv2)")
		}
		return cert, nil
	}
	return nil, errors.New("the certificate that signed it is not in it")
}

// names says that the attribute (RFC 5816) names a certificate, by the first of its hashes.
func names(attr []byte, cert *x509.Certificate) bool {
	var v struct {
		Certs []struct {
			Digest pkix.AlgorithmIdentifier `asn1:"optional"`
			Hash   []byte
		}
	}
	if _, err := asn1.Unmarshal(attr, &v); err != nil || len(v.Certs) == 0 {
		return false
	}
	digest := crypto.SHA256
	if of := v.Certs[0].Digest.Algorithm; len(of) > 0 {
		digest = digests[of.String()]
	}
	if digest == 0 {
		return false
	}
	h := digest.New()
	h.Write(cert.Raw)
	return bytes.Equal(h.Sum(nil), v.Certs[0].Hash)
}

// stamp checks the pack's own.
func (c *checker) stamp() {
	if _, ok := c.a.by["pack.tsr"]; !ok {
		return
	}
	raw, err := c.a.whole("pack.tsr", 64<<10)
	if err != nil {
		c.fault("structure", "pack.tsr", "%s", err)
		return
	}
	signed, _ := c.a.whole("pack.note", maxNote) // an error is said
	at, trusted, err := stamped(raw, signed, c.trust.Roots)
	if err == nil && at.Before(c.m.Made.Add(-time.Hour)) {
		err = errors.New("it is of before the pack was made")
	}
	if err != nil {
		c.fault("stamp", "pack.tsr", "it does not count: %s", err)
		return
	}
	c.Stamped, c.Trusted = at, trusted
}
