package factor

import (
	"encoding/base32"
	"math"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
	"partnerguard/internal/token"
)

// Algorithm is the hash of the HMAC, as otpauth addresses write it.
type Algorithm string

// The algorithms of RFC 6238 section 1.2. SHA1 is what every authenticator
// application knows.
const (
	SHA1   Algorithm = "SHA1"
	SHA256 Algorithm = "SHA256"
	SHA512 Algorithm = "SHA512"
)

// Alphabet is how a code is written.
type Alphabet string

// Decimal is RFC 4226's; Steam is five characters of Valve's own.
const (
	Decimal Alphabet = ""
	Steam   Alphabet = "steam"
)

// What is usual: the values every authenticator application knows.
const (
	UsualDigits = 6
	UsualPeriod = 30
)

// Limits of a seed. 80 bits are what the shortest seeds in use have; RFC 4226
// section 4 asks for 128 of those who make new ones.
const (
	leastSecret = 10  // bytes
	mostSecret  = 128 // bytes: the block of SHA-512
	mostPeriod  = 300 // seconds
	steamDigits = 5
)

// Seed is what codes are computed from. Its secret is base32 in upper case without
// padding and is never printed. Values are immutable and may be shared.
type Seed struct {
	Secret    secret.Text
	Algorithm Algorithm
	Digits    int // 6 to 8; 5 for Steam
	Period    int // seconds, 1 to 300
	Alphabet  Alphabet
}

// NewSeed makes a seed of the usual form: SHA1, six digits, 30 seconds, 160 random
// bits, as RFC 4226 section 4 recommends.
func NewSeed() Seed {
	return Seed{Secret: encode(token.Bytes(20)), Algorithm: SHA1, Digits: UsualDigits, Period: UsualPeriod}
}

var plain = base32.StdEncoding.WithPadding(base32.NoPadding)

func encode(raw []byte) secret.Text { return secret.New(plain.EncodeToString(raw)) }

// ReadSecret reads a secret in base32 as people type it and pages show it: in any
// case, in groups, with or without padding. An error names the place, not what is
// there.
func ReadSecret(typed secret.Text) (secret.Text, error) {
	if len(typed.Reveal()) > 4*mostSecret {
		return secret.Text{}, badSecret("is longer than %d characters", 4*mostSecret)
	}
	var b strings.Builder
	at := 0
	for _, r := range strings.TrimRight(strings.TrimSpace(typed.Reveal()), "=") {
		at++
		switch {
		case r >= 'A' && r <= 'Z' || r >= '2' && r <= '7':
			b.WriteRune(r)
		case r >= 'a' && r <= 'z':
			b.WriteRune(r - 'a' + 'A')
		case r == ' ' || r == '-' || r == '\u00a0' || r == '\t':
		default:
			return secret.Text{}, badSecret("has a character that base32 does not have, at place %d", at)
		}
	}
	switch b.Len() % 8 {
	case 1, 3, 6:
		return secret.Text{}, badSecret("has %d characters, which no base32 text has: some are missing", b.Len())
	}
	raw, err := plain.DecodeString(b.String())
	if err != nil {
		return secret.Text{}, badSecret("is not base32")
	}
	return readBytes(raw)
}

func readBytes(raw []byte) (secret.Text, error) {
	if len(raw) < leastSecret || len(raw) > mostSecret {
		return secret.Text{}, badSecret("has %d bits; seeds have %d to %d", 8*len(raw), 8*leastSecret, 8*mostSecret)
	}
	return encode(raw), nil
}

func badSecret(format string, args ...any) error {
	return problem.New(problem.BadInput, "the secret key "+format, args...).
		WithHint("copy it whole from the page that shows it: letters A to Z and digits 2 to 7")
}

// Check refuses a seed that no code should be computed from.
func (s Seed) Check() error {
	switch s.Algorithm {
	case SHA1, SHA256, SHA512:
	default:
		return problem.New(problem.BadInput, "the algorithm is none of SHA1, SHA256 and SHA512")
	}
	if s.Period < 1 || s.Period > mostPeriod {
		return problem.New(problem.BadInput, "the period of %d seconds is not between 1 and %d", s.Period, mostPeriod)
	}
	switch {
	case s.Alphabet == Steam && s.Digits == steamDigits:
	case s.Alphabet == Decimal && s.Digits >= 6 && s.Digits <= 8:
	default:
		return problem.New(problem.BadInput, "codes of %d characters are not made: 6 to 8 digits are", s.Digits)
	}
	_, err := ReadSecret(s.Secret)
	return err
}

// Step is the number of the period in which t lies (RFC 6238 section 4.2); 0 for
// times before 1970 and for a seed without a period.
func (s Seed) Step(t time.Time) int64 {
	if s.Period < 1 || t.Unix() < 0 {
		return 0
	}
	return t.Unix() / int64(s.Period)
}

// Begin is when a step begins.
func (s Seed) Begin(step int64) time.Time { return time.Unix(step*int64(s.Period), 0).UTC() }

// Code is the code of a step, or of a counter (RFC 4226 section 5.3).
func (s Seed) Code(step int64) (secret.Text, error) {
	if step < 0 || step == math.MaxInt64 {
		return secret.Text{}, problem.New(problem.BadInput, "a step of %d has no code", step)
	}
	if err := s.Check(); err != nil {
		return secret.Text{}, err
	}
	return s.code(step)
}

func (s Seed) code(step int64) (secret.Text, error) {
	opts := hotp.ValidateOpts{Digits: otp.Digits(s.Digits), Algorithm: otp.AlgorithmSHA1}
	switch s.Algorithm {
	case SHA256:
		opts.Algorithm = otp.AlgorithmSHA256
	case SHA512:
		opts.Algorithm = otp.AlgorithmSHA512
	}
	if s.Alphabet == Steam {
		opts.Encoder = otp.EncoderSteam
	}
	c, err := hotp.GenerateCodeCustom(s.Secret.Reveal(), uint64(max(step, 0)), opts)
	if err != nil {
		return secret.Text{}, badSecret("cannot be used") // the cause might quote it
	}
	return secret.New(c), nil
}
