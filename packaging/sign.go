package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aead.dev/minisign"
	"golang.org/x/term"
)

// passwordVar names a file with the signing key's password, for machines.
const passwordVar = "RELEASE_KEY_PASSWORD_FILE"

// sums writes SHA256SUMS over everything in dir and, with a key, its signature.
func (r *release) sums(dir, version string, moment time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, e := range entries {
		sum, err := sumOf(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%s  %s\n", sum, e.Name())
	}
	at := filepath.Join(dir, "SHA256SUMS")
	if err := os.WriteFile(at, []byte(text.String()), 0o644); err != nil { //nolint:gosec // what is handed out
		return err
	}
	if r.key == "" {
		fmt.Println("NOTE: NOT signed: make release KEY=FILE signs, make release-key KEY=FILE makes a key")
		return nil
	}
	return sign(at, r.key, fmt.Sprintf("partnerguard %s, commit of %s", version, moment.Format(time.RFC3339)))
}

// sign writes the signature of a file beside it, as minisign does, and holds it to the
// public key that stands beside the key.
func sign(path, keyFile, comment string) error {
	password, err := askPassword("Password of the signing key: ")
	if err != nil {
		return err
	}
	key, err := minisign.PrivateKeyFromFile(password, keyFile)
	if err != nil {
		return fmt.Errorf("the signing key %s cannot be used: %w", keyFile, err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	signature := minisign.SignWithComments(key, text, comment, "signature of "+filepath.Base(path))
	public, err := minisign.PublicKeyFromFile(keyFile + ".pub")
	if err != nil {
		return fmt.Errorf("the public key beside the signing key: %w", err)
	}
	if !minisign.Verify(public, text, signature) {
		return fmt.Errorf("the signature does not fit %s.pub: it is another key's", keyFile)
	}
	return os.WriteFile(path+".minisig", signature, 0o644) //nolint:gosec // what is handed out
}

// makeKey makes a key for signing: path, sealed with a password, and path.pub. It
// refuses a place within a git repository, and never touches a file that is there.
func makeKey(path string) error {
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	for dir := filepath.Dir(abs); ; dir = filepath.Dir(dir) {
		if _, err := os.Lstat(filepath.Join(dir, ".git")); err == nil {
			return fmt.Errorf("%s is within the git repository %s, where somebody would commit it: name another place", abs, dir)
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	password, err := askPassword("New password for the signing key: ")
	if err != nil {
		return err
	}
	if len(password) < 15 {
		return errors.New("the password needs 15 characters: it is all that stands between the file and your users")
	}
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	sealed, err := minisign.EncryptKey(password, private)
	if err != nil {
		return err
	}
	shown, err := public.MarshalText()
	if err != nil {
		return err
	}
	if err := create(abs, sealed, 0o600); err != nil {
		return err
	}
	if err := create(abs+".pub", append(shown, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Printf("made %s, sealed with the password, and %s.pub\n", abs, abs)
	fmt.Printf("publish the public key where users look for it, apart from the downloads: %s\n", public)
	return nil
}

func create(path string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func askPassword(ask string) (string, error) {
	if file := os.Getenv(passwordVar); file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("%s: %w", passwordVar, err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return "", fmt.Errorf("the password is asked for on a terminal; for a machine name a file with it in %s", passwordVar)
	}
	fmt.Fprint(os.Stderr, ask)
	b, err := term.ReadPassword(in)
	fmt.Fprintln(os.Stderr)
	return string(b), err
}
