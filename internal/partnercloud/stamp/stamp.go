package stamp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"mime"
	"net/http"
	"sync"
	"time"

	"github.com/digitorus/timestamp"
)

// Options make an Authority.
type Options struct {
	Now func() time.Time // nil is time.Now
	// Certificate, if any, changes the signer's certificate before it is made; Stamp
	// a stamp before it is signed.
	Certificate func(*x509.Certificate)
	Stamp       func(*timestamp.Timestamp)
}

// Authority gives stamps. Safe for concurrent use.
type Authority struct {
	o          Options
	root, leaf *x509.Certificate
	key        *ecdsa.PrivateKey
}

// reading is held while a request is read: the library counts its depth in a variable
// that all authorities share.
var reading sync.Mutex

// Policy is the one policy, of an arc that belongs to nobody.
var Policy = asn1.ObjectIdentifier{2, 25, 3161}

var (
	oidEKU      = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
)

// life is how long the certificates are valid, from an hour ago.
const life = 10 * 365 * 24 * time.Hour

// New makes an authority with fresh keys.
func New(o Options) (*Authority, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &Authority{o: o}
	from := o.Now().Add(-time.Hour)
	ca, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Partner cloud time stamps, root (local, not Microsoft)"},
		NotBefore: from, NotAfter: from.Add(life), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	if a.root, err = certificate(root, root, ca.Public(), ca); err != nil {
		return nil, err
	}
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	purpose, err := asn1.Marshal([]asn1.ObjectIdentifier{oidStamping})
	if err != nil {
		return nil, err
	}
	// RFC 3161 wants the purpose to be the only one, and critical, which
	// crypto/x509 does not write by itself.
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Partner cloud time stamps (local, not Microsoft)"},
		NotBefore: from, NotAfter: from.Add(life), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: oidEKU, Critical: true, Value: purpose}}}
	if o.Certificate != nil {
		o.Certificate(leaf)
	}
	a.leaf, err = certificate(leaf, a.root, a.key.Public(), ca)
	return a, err
}

func certificate(c, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, c, parent, pub, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// Root is the certificate that stamps are to be checked by.
func (a *Authority) Root() *x509.Certificate { return a.root }

// PEM is the root as a file has it.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})
}

// maxRequest bounds a request.
const maxRequest = 16 << 10

// ServeHTTP answers a request for a stamp (RFC 3161 section 3.4).
func (a *Authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "A time stamp is asked for by POST.", http.StatusMethodNotAllowed)
		return
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/timestamp-query" {
		http.Error(w, "A time stamp is asked for with application/timestamp-query.", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "The request is too long.", http.StatusRequestEntityTooLarge)
		return
	}
	out, err := a.Answer(body)
	if err != nil {
		http.Error(w, "The stamp could not be made.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(out)
}

// Answer gives the reply to a request: a stamp, or a refusal. An error is a mistake
// of this authority.
func (a *Authority) Answer(request []byte) ([]byte, error) {
	q, err := parse(request)
	switch {
	case err != nil:
		return refusal(timestamp.BadDataFormat)
	case q.HashAlgorithm != crypto.SHA256 && q.HashAlgorithm != crypto.SHA384 && q.HashAlgorithm != crypto.SHA512:
		return refusal(timestamp.BadAlgorithm)
	case len(q.HashedMessage) != q.HashAlgorithm.Size():
		return refusal(timestamp.BadRequest)
	case len(q.TSAPolicyOID) > 0 && !q.TSAPolicyOID.Equal(Policy):
		return refusal(timestamp.UnacceptedPolicy)
	case len(q.Extensions)+len(q.ExtraExtensions) > 0:
		return refusal(timestamp.UnacceptedExtension)
	}
	s := &timestamp.Timestamp{HashAlgorithm: q.HashAlgorithm, HashedMessage: q.HashedMessage, Time: a.o.Now(), Nonce: q.Nonce, Policy: Policy,
		AddTSACertificate: q.Certificates}
	if a.o.Stamp != nil {
		a.o.Stamp(s)
	}
	return s.CreateResponseWithOpts(a.leaf, a.key, crypto.SHA256)
}

// parse reads a request; a panic of the parser is a malformed one.
func parse(raw []byte) (q *timestamp.Request, err error) {
	reading.Lock()
	defer reading.Unlock()
	defer func() {
		if recover() != nil {
			q, err = nil, errors.New("stamp: the request cannot be read")
		}
	}()
	q, err = timestamp.ParseRequest(raw)
	return q, err
}

// refusal is a reply without a stamp.
func refusal(why timestamp.FailureInfo) ([]byte, error) {
	return timestamp.CreateErrorResponse(timestamp.Rejection, why)
}
