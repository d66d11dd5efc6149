package factor

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Entry is a seed with the names it was issued under. Names are shown and identify
// nobody.
type Entry struct {
	Issuer  string
	Account string
	Seed    Seed
	// Counted: codes come from a counter (HOTP), not from the time; Counter is the next.
	Counted bool
	Counter int64
}

// Called is what an entry is called on one line.
func (e Entry) Called() string {
	return strings.Trim(strings.Join([]string{e.Issuer, e.Account}, ": "), ": ")
}

// Same reports that two entries make the same codes.
func (e Entry) Same(o Entry) bool {
	a, b := e.Seed, o.Seed
	return e.Seed.Secret.Equal(o.Seed.Secret) && a.Algorithm == b.Algorithm && a.Digits == b.Digits && a.Period == b.Period &&
		a.Alphabet == b.Alphabet && e.Counted == o.Counted
}

// Limits of an address.
const (
	mostAddress = 4096 // bytes
	mostName    = 200  // characters of an issuer or account
)

func bad(format string, args ...any) *problem.Error {
	return problem.New(problem.BadInput, format, args...)
}

// URI writes an entry as the otpauth address that authenticator applications read
// from a picture: label and issuer percent-encoded, the label's prefix equal to the
// issuer, no padding. It refuses what no application reads. It is a secret.
func (e Entry) URI() (secret.Text, error) {
	if err := e.Seed.Check(); err != nil {
		return secret.Text{}, err
	}
	if e.Seed.Alphabet != Decimal {
		return secret.Text{}, bad("codes of Steam have no otpauth address")
	}
	if e.Account == "" || strings.Contains(e.Issuer, ":") || strings.Contains(e.Account, ":") {
		return secret.Text{}, bad("an otpauth address needs an account, and no colon in the account or the issuer")
	}
	kind, label := "totp", escape(e.Account)
	q := "secret=" + e.Seed.Secret.Reveal()
	if e.Issuer != "" {
		label = escape(e.Issuer) + ":" + label
		q += "&issuer=" + escape(e.Issuer)
	}
	q += "&algorithm=" + string(e.Seed.Algorithm) + "&digits=" + strconv.Itoa(e.Seed.Digits)
	if e.Counted {
		kind = "hotp"
		q += "&counter=" + strconv.FormatInt(e.Counter, 10)
	} else {
		q += "&period=" + strconv.Itoa(e.Seed.Period)
	}
	return secret.New("otpauth://" + kind + "/" + label + "?" + q), nil
}

// escape writes a space as %20: readers of these addresses take + for itself.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// ReadURI reads an otpauth:// or steam:// address as issuers write them. Parameters
// it does not know (image, color) are passed over; one that is there twice, or has a
// value that no code can be made with, is refused. No error quotes the address.
func ReadURI(address secret.Text) (Entry, error) {
	text := strings.TrimSpace(address.Reveal())
	if len(text) > mostAddress || !utf8.ValidString(text) {
		return Entry{}, bad("the address is longer than %d bytes or not UTF-8", mostAddress)
	}
	if rest, ok := cutPrefixFold(text, "steam://"); ok {
		return steam(rest, "Steam", "")
	}
	if _, ok := cutPrefixFold(text, "otpauth://"); !ok {
		return Entry{}, bad("this is no otpauth:// address").WithHint("paste what the QR picture holds, or give the secret key with --secret -")
	}
	u, err := url.Parse(text)
	if err != nil { // the cause quotes the address
		return Entry{}, bad("the otpauth address cannot be read: it is not written as an address is")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Entry{}, bad("the parameters of the otpauth address cannot be read")
	}
	for k, v := range q {
		if known[strings.ToLower(k)] && (len(v) != 1 || k != strings.ToLower(k)) {
			return Entry{}, bad("the otpauth address has %s twice or in capitals", strings.ToLower(k))
		}
	}
	e := Entry{Counted: strings.EqualFold(u.Host, "hotp")}
	if !e.Counted && !strings.EqualFold(u.Host, "totp") {
		return Entry{}, bad("the otpauth address is neither totp nor hotp")
	}
	if e.Issuer, e.Account, err = label(strings.TrimPrefix(u.Path, "/"), q.Get("issuer")); err != nil {
		return Entry{}, err
	}
	return e.parameters(q)
}

var known = map[string]bool{"secret": true, "issuer": true, "algorithm": true, "digits": true, "period": true, "counter": true, "encoder": true}

func (e Entry) parameters(q url.Values) (Entry, error) {
	if strings.EqualFold(q.Get("encoder"), "steam") {
		return steam(q.Get("secret"), e.Issuer, e.Account)
	}
	var err error
	s := Seed{Algorithm: SHA1, Digits: UsualDigits, Period: UsualPeriod}
	if s.Secret, err = ReadSecret(secret.New(q.Get("secret"))); err != nil {
		return Entry{}, err
	}
	if a := q.Get("algorithm"); a != "" {
		if s.Algorithm, err = ReadAlgorithm(a); err != nil {
			return Entry{}, err
		}
	}
	if s.Digits, err = number(q, "digits", s.Digits); err != nil {
		return Entry{}, err
	}
	if s.Period, err = number(q, "period", s.Period); err != nil {
		return Entry{}, err
	}
	if c := q.Get("counter"); c != "" {
		if e.Counter, err = strconv.ParseInt(c, 10, 64); err != nil || e.Counter < 0 {
			return Entry{}, bad("the counter of the otpauth address is no number from 0 on")
		}
	} else if e.Counted {
		return Entry{}, bad("the otpauth address is hotp and has no counter")
	}
	e.Seed = s
	return e, s.Check()
}

func number(q url.Values, name string, usual int) (int, error) {
	if q.Get(name) == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(q.Get(name))
	if err != nil {
		return 0, bad("the %s of the otpauth address is no number", name)
	}
	return n, nil
}

// label takes a path apart. The parameter wins over the prefix, as the convention
// has it.
func label(path, issuer string) (string, string, error) {
	prefix, account, both := strings.Cut(path, ":")
	if !both {
		prefix, account = "", path
	}
	if issuer == "" {
		issuer = prefix
	}
	issuer, err := name("issuer", issuer)
	if err != nil {
		return "", "", err
	}
	account, err = name("account", account)
	return issuer, account, err
}

// name refuses what would forge a line of a terminal or change its direction.
func name(what, s string) (string, error) {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > mostName || !utf8.ValidString(s) {
		return "", bad("the %s is longer than %d characters or not UTF-8", what, mostName)
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return "", bad("the %s has a character that is not shown", what)
		}
	}
	return s, nil
}

// ReadAlgorithm reads the name of a hash in the spellings that are about.
func ReadAlgorithm(s string) (Algorithm, error) {
	switch strings.NewReplacer("-", "", "_", "").Replace(strings.ToUpper(strings.TrimSpace(s))) {
	case "SHA1", "HMACSHA1":
		return SHA1, nil
	case "SHA256", "HMACSHA256":
		return SHA256, nil
	case "SHA512", "HMACSHA512":
		return SHA512, nil
	}
	return "", bad("the algorithm is none of SHA1, SHA256 and SHA512")
}

func steam(typed, issuer, account string) (Entry, error) {
	if issuer == "" {
		issuer = "Steam"
	}
	s, err := ReadSecret(secret.New(typed))
	if err != nil {
		return Entry{}, err
	}
	return Entry{Issuer: issuer, Account: account, Seed: Seed{Secret: s, Algorithm: SHA1, Digits: steamDigits, Period: UsualPeriod, Alphabet: Steam}}, nil
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}
