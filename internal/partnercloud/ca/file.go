package ca

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"partnerguard/internal/problem"
)

const (
	// keyFile holds the root, its key and the leafs' key: one file, so that it is
	// there whole or not at all.
	keyFile = "authority.pem"
	// certFile holds the root alone: the path to hand to a client.
	certFile = "ca.pem"
	maxFile  = 64 << 10
)

// CertFile is where the certificate of an authority kept in dir lies.
func CertFile(dir string) string { return filepath.Join(dir, certFile) }

func openDir(dir string, now func() time.Time) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the folder %s for the local CA cannot be made", dir).
			WithHint("name a folder you may write, or keep the state in memory")
	}
	path := filepath.Join(dir, keyFile)
	b, err := load(path, now())
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(dir, path, now()); err != nil {
			return nil, err
		}
		b, err = load(path, now()) // whoever came first: the file's is the authority
	}
	if err != nil {
		return nil, err
	}
	a := b.authority(now)
	if have, err := readLimited(CertFile(dir)); err != nil || string(have) != string(a.PEM()) {
		if err := replace(dir, CertFile(dir), a.PEM(), 0o644); err != nil {
			return nil, problem.Wrap(err, problem.BadInput, "%s cannot be written", CertFile(dir)).WithHint("check that you own the folder")
		}
	}
	return a, nil
}

// load reads and checks the key file. Its error is fs.ErrNotExist when there
// is none.
func load(path string, now time.Time) (*bundle, error) {
	again := fmt.Sprintf("delete %s to have a new one made; clients then need the new certificate", path)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, problem.Wrap(err, problem.BadInput, "the local CA %s cannot be read", path)
	case !info.Mode().IsRegular():
		return nil, problem.New(problem.BadInput, "the local CA %s is not a plain file", path).WithHint("%s", again)
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, problem.New(problem.BadInput, "the key of the local CA %s can be read by others (mode %04o)", path, info.Mode().Perm()).
			WithHint("somebody may have copied it: %s", again)
	}
	text, err := readLimited(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the local CA %s cannot be read", path).WithHint("%s", again)
	}
	b, err := parse(text)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "the local CA %s is damaged: %s", path, err).WithHint("%s", again)
	}
	if now.Before(b.root.NotBefore) {
		return nil, problem.New(problem.BadInput, "the local CA %s is valid from %s only", path, b.root.NotBefore.UTC().Format(time.DateTime)).
			WithHint("check the clock of this machine, or %s", again)
	}
	if left := b.root.NotAfter.Sub(now); left < renewAhead {
		word := "ends within a week, on"
		if left <= 0 {
			word = "expired on"
		}
		return nil, problem.New(problem.BadInput, "the local CA %s %s %s", path, word, b.root.NotAfter.UTC().Format(time.DateTime)).WithHint("%s", again)
	}
	return b, nil
}

// parse reads a key file: the root, the root's key, the leafs' key. What it
// says goes into a message; it never quotes the file.
func parse(text []byte) (*bundle, error) {
	var b bundle
	var keys []*ecdsa.PrivateKey
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			break
		}
		text = rest
		switch block.Type {
		case "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil || b.root != nil {
				return nil, errors.New("its certificate cannot be read")
			}
			b.root = c
		case "PRIVATE KEY":
			k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			ec, ok := k.(*ecdsa.PrivateKey)
			if err != nil || !ok {
				return nil, errors.New("a key cannot be read")
			}
			keys = append(keys, ec)
		default:
			return nil, errors.New("it holds something else")
		}
	}
	if b.root == nil || len(keys) != 2 {
		return nil, errors.New("it is not whole")
	}
	b.rootKey, b.leafKey = keys[0], keys[1]
	if !b.rootKey.PublicKey.Equal(b.root.PublicKey) {
		return nil, errors.New("its key belongs to another certificate")
	}
	if err := b.root.CheckSignatureFrom(b.root); err != nil {
		return nil, errors.New("it did not sign itself")
	}
	return &b, ours(b.root)
}

// ours checks that the constraints are those this version sets: a root that
// may vouch for more, or cannot for all we need, is not used.
func ours(c *x509.Certificate) error {
	same := c.PermittedDNSDomainsCritical && slices.Equal(c.PermittedDNSDomains, Hosts()) && len(c.PermittedIPRanges) == len(networks()) &&
		c.IsCA && c.MaxPathLen == 0 && c.MaxPathLenZero && slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth})
	for i, n := range networks() {
		same = same && c.PermittedIPRanges[i].String() == n.String()
	}
	if !same {
		return errors.New("it was made for other names, by another version")
	}
	return nil
}

// create makes an authority at path unless somebody else just did.
func create(dir, path string, now time.Time) error {
	b, err := generate(now)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: b.root.Raw})
	for _, k := range []*ecdsa.PrivateKey{b.rootKey, b.leafKey} {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			return fmt.Errorf("encode key: %w", err)
		}
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	}
	temp, err := writeTemp(dir, text, 0o600)
	if err == nil {
		defer os.Remove(temp)
		// A link never replaces what is there: of two that start at once one wins.
		if err = os.Link(temp, path); err != nil && !errors.Is(err, fs.ErrExist) {
			err = os.Rename(temp, path) // a file system without links
		}
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return problem.Wrap(err, problem.BadInput, "the local CA %s cannot be written", path).
			WithHint("check that the folder may be written, or keep the state in memory")
	}
	return nil
}

func replace(dir, path string, text []byte, mode fs.FileMode) error {
	temp, err := writeTemp(dir, text, mode)
	if err != nil {
		return err
	}
	defer os.Remove(temp) // nothing to remove once renamed
	return os.Rename(temp, path)
}

// writeTemp writes text to a new file in dir, with mode, on disk when it
// returns.
func writeTemp(dir string, text []byte, mode fs.FileMode) (path string, err error) {
	f, err := os.CreateTemp(dir, ".ca-*") // 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(b) > maxFile {
		err = errors.New("far too large")
	}
	return b, err
}
