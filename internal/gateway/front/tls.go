package front

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"partnerguard/internal/problem"
)

const (
	lookEvery = 20 * time.Second // at certificate files
	maxPEM    = 1 << 20
)

// Certificate is a key pair of two PEM files, read again when they change. What is
// broken is never taken over: the old pair stays, and the log says why.
type Certificate struct {
	cert, key string
	log       *slog.Logger
	pair      atomic.Pointer[pair]
}

type pair struct {
	certificate tls.Certificate
	cert, key   []byte // as the files were
}

// LoadCertificate reads both files, of 1 MiB at most. log may be nil.
func LoadCertificate(cert, key string, log *slog.Logger) (*Certificate, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Certificate{cert: cert, key: key, log: log}
	if _, err := c.Look(); err != nil {
		return nil, err
	}
	return c, nil
}

// Look reads the files once, and takes the pair over where it is new and whole.
func (c *Certificate) Look() (taken bool, err error) {
	certPEM, err := readPEM(c.cert)
	if err != nil {
		return false, err
	}
	keyPEM, err := readPEM(c.key)
	if err != nil {
		return false, err
	}
	if old := c.pair.Load(); old != nil && bytes.Equal(old.cert, certPEM) && bytes.Equal(old.key, keyPEM) {
		return false, nil
	}
	made, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil { // its text names the fault, never the key
		return false, problem.Wrap(err, problem.BadInput, "%s and %s are not a certificate and its key", c.cert, c.key).
			WithHint("give PEM files: the chain with the server's own certificate first, and its private key")
	}
	c.pair.Store(&pair{made, certPEM, keyPEM})
	return true, nil
}

func readPEM(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the file %s for TLS cannot be read", path).WithHint("look at its path and rights")
	}
	if info.Size() > maxPEM {
		return nil, problem.New(problem.Limit, "the file %s is longer than any certificate or key", path).WithHint("name a PEM file")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the file %s for TLS cannot be read", path).WithHint("look at its path and rights")
	}
	return text, nil
}

// Watch looks at the files every 20 seconds until ctx ends. A pair that changes while
// it is read does not fit together, and is read again the next time.
func (c *Certificate) Watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch taken, err := c.Look(); {
		case err != nil:
			c.log.WarnContext(ctx, "a changed certificate was not taken over; the one before stays", slog.String("file", c.cert), slog.Any("error", err))
		case taken:
			c.log.InfoContext(ctx, "a changed certificate was taken over", slog.String("file", c.cert), slog.Time("until", c.Until()))
		}
	}
}

// Until is when the certificate that is served now ends.
func (c *Certificate) Until() time.Time {
	return c.pair.Load().certificate.Leaf.NotAfter
}

// Config is that of a listener: TLS 1.2 and later, HTTP/2 and HTTP/1.1.
func (c *Certificate) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return &c.pair.Load().certificate, nil
		},
	}
}
