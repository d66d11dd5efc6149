package factor

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Payload is what an export of another application held.
type Payload struct {
	Format  string // its name, for people
	Entries []Entry
	Left    []Left
	// Part of Parts, when the export says that it is one of several; else 0 of 0.
	Part, Parts int
}

// Left is an entry that was not taken, with why. Neither holds a secret.
type Left struct {
	Name string
	Why  string
}

// Limits of an export.
const (
	mostPayload = 8 << 20 // bytes
	mostEntries = 1000
)

// ReadPayload reads the exports of authenticator applications and password managers,
// and lines of addresses, telling them apart by what they are: otpauth and steam
// addresses, otpauth-migration, Aegis, andOTP, 2FAS and Bitwarden in JSON, Bitwarden
// and KeePassXC in CSV, KeePass 2 in XML. An entry that cannot be used is named in
// Left; the others are taken. An encrypted export is refused as such. Of a password
// manager's export nothing but names and codes' secrets is looked at. No error
// quotes what was read.
func ReadPayload(raw secret.Text) (Payload, error) {
	text := raw.Reveal()
	if len(text) > mostPayload {
		return Payload{}, problem.New(problem.Limit, "the export is larger than %d MiB", mostPayload>>20)
	}
	b := bytes.TrimSpace(bytes.TrimPrefix([]byte(text), []byte("\xef\xbb\xbf")))
	p, err := read(b)
	if err != nil {
		return Payload{}, err
	}
	if len(p.Entries)+len(p.Left) == 0 {
		return Payload{}, bad("the export (%s) has no one-time passwords", p.Format)
	}
	return p, nil
}

func read(b []byte) (Payload, error) {
	switch {
	case len(b) == 0:
		return Payload{}, bad("there is nothing to import")
	case bytes.HasPrefix(b, []byte("\x03\xd9\xa2\x9a")):
		return Payload{}, encrypted("a KeePass database", "open it in KeePassXC and export it as CSV or XML")
	case bytes.HasPrefix(b, []byte("-----BEGIN PGP MESSAGE")), bytes.HasPrefix(b, []byte("age-encryption.org/")):
		return Payload{}, encrypted("this file", "decrypt it first")
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		return Payload{}, bad("this is a ZIP archive").WithHint("unpack it first")
	case !utf8.Valid(b):
		return Payload{}, bad("this is no text: it is a picture, or an encrypted export").
			WithHint("give a picture to `partnerguard otp add --qr FILE`; export without encryption from other applications")
	case b[0] == '{', b[0] == '[':
		return readJSON(b)
	case b[0] == '<':
		return readKeePassXML(b)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	if !strings.Contains(first, "://") && strings.Contains(first, ",") {
		return readCSV(b)
	}
	return readLines(string(b))
}

func encrypted(what, next string) error {
	return problem.New(problem.BadInput, "%s is encrypted, and is not opened here", what).WithHint("%s; delete the plain file afterwards", next)
}

// readLines reads addresses, one a line; empty lines and those that begin with #
// are passed over.
func readLines(text string) (Payload, error) {
	p := Payload{Format: "addresses"}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if _, ok := cutPrefixFold(line, "otpauth-migration://"); ok {
			m, err := ReadMigration(secret.New(line))
			if err != nil {
				return Payload{}, err
			}
			p.Format, p.Part, p.Parts = m.Format, m.Part, m.Parts
			p.Entries, p.Left = append(p.Entries, m.Entries...), append(p.Left, m.Left...)
		} else if _, ok := cutPrefixFold(line, "otpauth://"); !ok && !strings.HasPrefix(line, "steam://") {
			return Payload{}, bad("line %d is neither an otpauth:// nor a steam:// address, and the file is no export that is known", n)
		} else {
			e, err := ReadURI(secret.New(line))
			if err := p.add("line "+itoa(n), e, err); err != nil {
				return Payload{}, err
			}
		}
		if err := p.bounded(); err != nil {
			return Payload{}, err
		}
	}
	return p, nil
}

// add takes an entry, or names why it was left.
func (p *Payload) add(called string, e Entry, err error) error {
	if err != nil {
		p.Left = append(p.Left, Left{Name: shown(called), Why: err.Error()})
	} else {
		p.Entries = append(p.Entries, e)
	}
	return p.bounded()
}

func (p *Payload) bounded() error {
	if len(p.Entries)+len(p.Left) > mostEntries {
		return problem.New(problem.Limit, "the export has more than %d entries", mostEntries)
	}
	return nil
}

// shown makes a name of others fit to be printed.
func shown(s string) string {
	if n, err := name("name", s); err == nil && n != "" {
		return n
	}
	return "(an entry without a name that can be shown)"
}
