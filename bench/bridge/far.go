package main

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"hash"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// far is the mail server: it sums what it is sent, and keeps nothing.
type far struct {
	elsewhere
	ways []*middleman
	tls  *tls.Config // its own
	near *tls.Config // a device's

	size atomic.Int64 // of the messages that are read

	mu   sync.Mutex
	got  map[string]int // sums of bodies: how often each came
	more chan struct{}
}

func newFar(dir string) (*far, error) {
	path := filepath.Join(dir, "cert.pem")
	if err := certificate(path); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(path, path)
	if err != nil {
		return nil, err
	}
	roots, err := rootsOf(path)
	if err != nil {
		return nil, err
	}
	f := &far{tls: &tls.Config{Certificates: []tls.Certificate{pair}}, near: &tls.Config{RootCAs: roots, ServerName: "localhost"}, got: map[string]int{},
		more: make(chan struct{}, 1)}
	f.Certificate = path
	mails := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &taker{f}, nil }))
	mails.Domain, mails.TLSConfig, mails.MaxLineLength = "localhost", f.tls, 4000
	for at, serve := range map[*string]func(net.Listener){&f.SMTP: func(l net.Listener) { _ = mails.Serve(l) }, &f.IMAP: f.serveIMAP} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		*at = l.Addr().String()
		go serve(l)
	}
	return f, nil
}

func certificate(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(48 * time.Hour), DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		return err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})...)
	return os.WriteFile(path, text, 0o600)
}

func rootsOf(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return roots, err
}

// taker takes mail from whoever sends it.
type taker struct{ f *far }

func (t *taker) AuthMechanisms() []string             { return []string{"XOAUTH2", sasl.Plain} }
func (t *taker) Auth(string) (sasl.Server, error)     { return anybody{}, nil }
func (t *taker) Mail(string, *smtp.MailOptions) error { return nil }
func (t *taker) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (t *taker) Reset()                               {}
func (t *taker) Logout() error                        { return nil }

type anybody struct{}

func (anybody) Next(response []byte) ([]byte, bool, error) {
	if response == nil {
		return []byte{}, false, nil
	}
	return nil, true, nil
}

// Data sums the body: the head has a line more by the bridge.
func (t *taker) Data(r io.Reader) error {
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
	}
	sum := sha256.New()
	if _, err := in.WriteTo(struct{ io.Writer }{sum}); err != nil {
		return err
	}
	t.f.mu.Lock()
	t.f.got[string(sum.Sum(nil))]++
	t.f.mu.Unlock()
	select {
	case t.f.more <- struct{}{}:
	default:
	}
	return nil
}

// serveIMAP answers what a reading device asks for.
func (f *far) serveIMAP(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go f.talk(tls.Server(c, f.tls))
	}
}

func (f *far) talk(c net.Conn) {
	defer c.Close()
	in, out := bufio.NewReader(c), bufio.NewWriterSize(c, 32<<10)
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\r\n", args...); _ = out.Flush() }
	say("* OK far")
	for {
		line, err := in.ReadString('\n')
		words := strings.Fields(line)
		if err != nil || len(words) < 2 {
			return
		}
		switch tag := words[0]; words[1] {
		case "AUTHENTICATE":
			say("+ ")
			if _, err := in.ReadString('\n'); err != nil {
				return
			}
			say("%s OK", tag)
		case "CAPABILITY":
			say("* CAPABILITY IMAP4rev1\r\n%s OK", tag)
		case "FETCH":
			var n int64
			_, _ = fmt.Sscan(words[2], &n)
			size := f.size.Load()
			fmt.Fprintf(out, "* %d FETCH (BODY[] {%d}\r\n", n, size)
			_, _ = io.Copy(struct{ io.Writer }{out}, body(int(n), size))
			say(")\r\n%s OK", tag)
		default:
			say("%s OK", tag)
		}
	}
}

// block is what bodies are of: lines that do not begin with a dot.
var block = bytes.Repeat([]byte(strings.Repeat("x", 74)+"\r\n"), 400)

// body is a body that no other message has, whole lines of just above size bytes.
func body(n int, size int64) io.Reader {
	name := fmt.Sprintf("message %d\r\n", n)
	left := size - int64(len(name))
	parts := []io.Reader{strings.NewReader(name)}
	for ; left > 0; left -= int64(len(block)) {
		parts = append(parts, bytes.NewReader(block[:min(left, int64(len(block)))]))
	}
	return io.MultiReader(parts...)
}

// sizeOf rounds a size so that a body ends with a line.
func sizeOf(n int, size int64) int64 {
	name := int64(len(fmt.Sprintf("message %d\r\n", n)))
	return name + (size-name)/76*76
}

func sumOf(r io.Reader) string {
	var h hash.Hash = sha256.New()
	_, _ = io.Copy(h, r)
	return string(h.Sum(nil))
}
