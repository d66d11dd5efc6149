package anchor

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"sync"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/problem"
	"partnerguard/internal/token"
	"partnerguard/internal/trail"
)

// Timestamp has checkpoints stamped by a time stamping authority (RFC 3161). A
// stamp shows that a checkpoint was there at a time: who writes the trail anew
// cannot have old stamps. The authority itself remembers nothing, so the stamps
// are kept, in the database and, when named, in a file that its owner does not
// hold; without the file a database that is emptied loses them.
type Timestamp struct {
	url    string
	roots  *x509.CertPool
	file   string
	every  time.Duration
	client *http.Client
	now    func() time.Time
}

// NewTimestamp names an authority; roots are those its certificate must come
// from. file may be "".
func NewTimestamp(to string, roots *x509.CertPool, file string, every time.Duration, c *http.Client, now func() time.Time) (*Timestamp, error) {
	u, err := remote("time stamping authority", to)
	if err != nil {
		return nil, err
	}
	if roots == nil {
		return nil, problem.New(problem.Usage, "the time stamping authority %s has no roots to check its certificate by", to)
	}
	return &Timestamp{u.String(), roots, file, every, careful(c), now}, nil
}

// Name is timestamp: and the address.
func (t *Timestamp) Name() string { return "timestamp:" + t.url }

// Every is how often a checkpoint is stamped.
func (t *Timestamp) Every() time.Duration { return t.every }

// slack is how far the authority's clock may be from ours.
const slack = 10 * time.Minute

// Send has the checkpoint stamped and keeps the stamp in the file, where one is named.
func (t *Timestamp) Send(ctx context.Context, s *trail.Sending) ([]byte, error) {
	raw, at, err := t.Stamp(ctx, s.Note)
	if err != nil {
		return nil, err
	}
	if t.file != "" {
		if err := appendLine(t.file, s, line{Form: form, At: at, Note: string(s.Note), Token: raw}); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// Stamp has data stamped and checks the answer in full: the signature (CMS), the signer's
// certificate and its purpose, its chain at the time of the stamp, the imprint, the nonce,
// and that the time is about now.
func (t *Timestamp) Stamp(ctx context.Context, data []byte) (raw []byte, at time.Time, err error) {
	sum := sha256.Sum256(data)
	nonce := new(big.Int).SetBytes(append([]byte{1}, token.Bytes(16)...))
	ask := &timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Certificates: true, Nonce: nonce}
	body, err := ask.Marshal()
	if err != nil {
		return nil, at, problem.Wrap(err, problem.Internal, "the time stamp could not be asked for")
	}
	who := "the time stamping authority " + t.url
	status, kind, answer, err := post(ctx, t.client, t.url, "application/timestamp-query", body, who)
	if err != nil {
		return nil, at, err
	}
	if status != http.StatusOK || kind != "application/timestamp-reply" {
		return nil, at, problem.New(problem.BadInput, "%s answered %d, %.60q", who, status, kind)
	}
	if raw, err = tokenOf(answer); err != nil {
		return nil, at, problem.New(problem.BadInput, "%s: %s", who, err)
	}
	if at, err = Stamped(raw, data, t.roots, nonce); err != nil {
		return nil, at, problem.New(problem.BadInput, "the stamp of %s does not count: %s", t.url, err)
	}
	if d := t.now().Sub(at).Abs(); d > slack {
		return nil, at, problem.New(problem.BadInput, "the stamp of %s is of %s: its clock or ours is wrong", t.url, at.UTC().Format(time.RFC3339))
	}
	return raw, at, nil
}

// tokenOf takes the token out of an answer.
func tokenOf(answer []byte) (raw []byte, err error) {
	defer calm(&err)
	var res struct {
		Status struct {
			Status int
			Text   asn1.RawValue  `asn1:"optional"`
			Fail   asn1.BitString `asn1:"optional"`
		}
		Token asn1.RawValue `asn1:"optional"`
	}
	rest, err := asn1.Unmarshal(answer, &res)
	if err != nil || len(rest) > 0 {
		return nil, errors.New("its answer is none")
	}
	if res.Status.Status != 0 {
		return nil, fmt.Errorf("it refused (status %d)", res.Status.Status)
	}
	if len(res.Token.FullBytes) == 0 {
		return nil, errors.New("its answer has no stamp")
	}
	return res.Token.FullBytes, nil
}

// calm makes a panic of the parsers, which read hostile bytes, a refusal.
func calm(err *error) {
	if r := recover(); r != nil {
		*err = errors.New("it cannot be read")
	}
}

var (
	oidTSTInfo     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidDigest      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidCertV2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidEKU         = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidSHA256      = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
)

// parsing is held while a token is parsed: the library counts its depth in a
// variable that all share.
var parsing sync.Mutex

// parse reads a token, and checks its signature's form.
func parse(raw []byte) (*pkcs7.PKCS7, *timestamp.Timestamp, error) {
	parsing.Lock()
	defer parsing.Unlock()
	p, err := pkcs7.Parse(raw)
	if err != nil {
		return nil, nil, errors.New("it cannot be read")
	}
	ts, err := timestamp.Parse(raw)
	if err != nil {
		return nil, nil, errors.New("its signature or form is wrong")
	}
	return p, ts, nil
}

// Stamped checks a time stamp token over data in full, and gives its time. A nil
// nonce is not compared: kept tokens were compared when they came.
func Stamped(raw, data []byte, roots *x509.CertPool, nonce *big.Int) (at time.Time, err error) {
	defer calm(&err)
	if len(raw) > maxAnswer {
		return at, errors.New("it is too long")
	}
	p, ts, err := parse(raw)
	if err != nil {
		return at, err
	}
	signer := p.GetOnlySigner()
	if signer == nil {
		return at, errors.New("it is not signed by exactly one whose certificate it holds")
	}
	if err := attributes(p, signer); err != nil {
		return at, err
	}
	if err := purpose(signer); err != nil {
		return at, err
	}
	pool := x509.NewCertPool()
	for _, c := range p.Certificates {
		pool.AddCert(c)
	}
	// This checks the signature once more, and the chain as it was at the time.
	if err := p.VerifyWithOpts(x509.VerifyOptions{
		Roots: roots, Intermediates: pool, CurrentTime: ts.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping},
	}); err != nil {
		return at, errors.New("its signer's certificate does not come from a known root, was not valid at the time, or the signature is wrong")
	}
	sum := sha256.Sum256(data)
	switch {
	case ts.HashAlgorithm != crypto.SHA256 || !bytes.Equal(ts.HashedMessage, sum[:]):
		return at, errors.New("it stamps something else")
	case nonce != nil && (ts.Nonce == nil || ts.Nonce.Cmp(nonce) != 0):
		return at, errors.New("its nonce is not ours: it is the answer to another question")
	case ts.Time.IsZero():
		return at, errors.New("it has no time")
	}
	return ts.Time.UTC(), nil
}

// Imprinted checks that a time stamp token is over data, and signed by the certificate
// that it holds: whose that is, nobody says. It gives its time.
func Imprinted(raw, data []byte) (at time.Time, err error) {
	defer calm(&err)
	if len(raw) > maxAnswer {
		return at, errors.New("it is too long")
	}
	p, ts, err := parse(raw)
	if err != nil {
		return at, err
	}
	if err := p.Verify(); err != nil || p.GetOnlySigner() == nil {
		return at, errors.New("its signature is wrong, or not by exactly one whose certificate it holds")
	}
	sum := sha256.Sum256(data)
	switch {
	case ts.HashAlgorithm != crypto.SHA256 || !bytes.Equal(ts.HashedMessage, sum[:]):
		return at, errors.New("it stamps something else")
	case ts.Time.IsZero():
		return at, errors.New("it has no time")
	}
	return ts.Time.UTC(), nil
}

// attributes checks what the library leaves out: that what is signed is a time
// stamp and nothing else, by exactly this certificate (RFC 3161 section 2.4.2, RFC
// 5816), and with a digest that still counts.
func attributes(p *pkcs7.PKCS7, signer *x509.Certificate) error {
	if _, ok := digests[p.Signers[0].DigestAlgorithm.Algorithm.String()]; !ok {
		return errors.New("its digest is too weak")
	}
	var kind asn1.ObjectIdentifier
	if err := p.UnmarshalSignedAttribute(oidContentType, &kind); err != nil || !kind.Equal(oidTSTInfo) {
		return errors.New("what is signed is no time stamp")
	}
	var digest []byte
	if err := p.UnmarshalSignedAttribute(oidDigest, &digest); err != nil {
		return errors.New("its content is not signed")
	}
	var v2 struct {
		Certs []asn1.RawValue
		Rest  asn1.RawValue `asn1:"optional"`
	}
	if err := p.UnmarshalSignedAttribute(oidCertV2, &v2); err != nil {
		return errors.New("it does not say which certificate signed it (ESSCertIDv2)")
	}
	if len(v2.Certs) == 0 {
		return errors.New("it does not say which certificate signed it (ESSCertIDv2)")
	}
	alg, hash := oidSHA256, []byte(nil)
	rest := v2.Certs[0].Bytes
	for i := 0; len(rest) > 0 && hash == nil && i < 2; i++ {
		var v asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &v); err != nil {
			break
		}
		switch v.Tag {
		case asn1.TagSequence:
			if _, err := asn1.Unmarshal(v.Bytes, &alg); err != nil {
				return errors.New("it does not say which certificate signed it (ESSCertIDv2)")
			}
		case asn1.TagOctetString:
			hash = v.Bytes
		}
	}
	h, ok := digests[alg.String()]
	if !ok {
		return errors.New("the digest of its certificate is too weak")
	}
	d := h.New()
	d.Write(signer.Raw)
	if !bytes.Equal(d.Sum(nil), hash) {
		return errors.New("it was signed by another certificate than it says")
	}
	return nil
}

// digests are those that count, by object identifier.
var digests = map[string]crypto.Hash{"2.16.840.1.101.3.4.2.1": crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512}

// purpose checks that a certificate is for time stamps alone, and says so in a
// critical extension (RFC 3161 section 2.3).
func purpose(c *x509.Certificate) error {
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || len(c.UnknownExtKeyUsage) != 0 {
		return errors.New("its signer's certificate is not for time stamps alone")
	}
	if c.KeyUsage != 0 && c.KeyUsage&^(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) != 0 {
		return errors.New("its signer's certificate is for other uses too")
	}
	for _, e := range c.Extensions {
		if e.Id.Equal(oidEKU) && e.Critical {
			return nil
		}
	}
	return errors.New("its signer's certificate does not say critically that it is for time stamps")
}

// Held checks every stamp that was kept, in the database and in the file.
func (t *Timestamp) Held(ctx context.Context, known []note.Verifier, kept []trail.Kept, each func(trail.Mark) error) error {
	one := func(raw, tok []byte, where string) error {
		m := mark(raw, known)
		at, err := Stamped(tok, raw, t.roots, nil)
		switch {
		case m.Bad != "":
		case err != nil:
			m.Bad = fmt.Sprintf("the stamp of %d entries, kept in %s, does not count: %s", m.Size, where, err)
		case at.After(t.now().Add(slack)):
			m.Bad = fmt.Sprintf("the stamp of %d entries, kept in %s, is of the future", m.Size, where)
		}
		m.At = at
		return each(m)
	}
	for _, k := range kept {
		if err := one(k.Note, k.Proof, "the database"); err != nil {
			return err
		}
	}
	if t.file == "" {
		return nil
	}
	in, err := openRegular(t.file)
	if err != nil {
		return err
	}
	defer in.Close()
	return readLines(ctx, in, func(n int, l line, err error) error {
		if err != nil {
			return each(trail.Mark{Bad: fmt.Sprintf("line %d of its file cannot be read: it was changed, or half written", n)})
		}
		return one([]byte(l.Note), l.Token, "its file")
	})
}
