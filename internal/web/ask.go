package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"partnerguard/internal/problem"
)

// Ask asks the server that runs with settings c on this machine whether it is well, as
// a container's health check does. Where it has a certificate, the one that answers
// must have the same: its name does not count, since it is asked by a loopback
// address. The error is of kind [problem.Unavailable] when it is not well or does not
// answer, and [problem.BadInput] when the certificate cannot be read.
func Ask(ctx context.Context, c *Config) error {
	ctx, stop := context.WithTimeout(ctx, 8*time.Second)
	defer stop()
	where, scheme := here(c.Listen), "http"
	t := &http.Transport{DisableKeepAlives: true}
	if c.TLSCertificate != "" {
		own, err := leaf(c.TLSCertificate)
		if err != nil {
			return err
		}
		scheme, t.TLSClientConfig = "https", &tls.Config{MinVersion: tls.VersionTLS12,
			InsecureSkipVerify: true, //nolint:gosec // VerifyConnection holds it to the very certificate
			VerifyConnection: func(s tls.ConnectionState) error {
				if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, own.Raw) {
					return errors.New("another certificate answers than that of the settings")
				}
				return nil
			}}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+where+"/healthz", http.NoBody)
	if err != nil {
		return problem.Wrap(err, problem.Usage, "%s is no address", c.Listen)
	}
	res, err := (&http.Client{Transport: t}).Do(req)
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "nothing well answers on %s: %s", where, reason(err)).
			WithHint("does partnerguard serve run there, with these settings?")
	}
	defer res.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if res.StatusCode != http.StatusOK || string(bytes.TrimSpace(said)) != "ok" {
		return problem.New(problem.Unavailable, "the server on %s is not well (%s)", where, res.Status).WithHint("its log says why")
	}
	return nil
}

// Here is the address by which the server that runs with settings c is reached on this
// machine: http://127.0.0.1:8443.
func Here(c *Config) string {
	scheme := "http://"
	if c.TLSCertificate != "" {
		scheme = "https://"
	}
	return scheme + here(c.Listen)
}

// here is where on this machine a server listens.
func here(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	return net.JoinHostPort(host, port)
}

const maxCertificate = 1 << 20

func leaf(path string) (*x509.Certificate, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the certificate %s cannot be read", path)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCertificate))
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the certificate %s cannot be read", path)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, problem.New(problem.BadInput, "the certificate %s is no PEM", path)
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the certificate %s cannot be read: %s", path, fmt.Sprint(err))
	}
	return c, nil
}

// reason is an error without the address in it, which the caller tells.
func reason(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err.Error()
		}
		err = next
	}
}
