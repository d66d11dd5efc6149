package factor_test

import (
	"encoding/base32"
	"fmt"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/factor"
	"partnerguard/internal/secret"
)

// seedOf makes a seed of a text's bytes, as the RFCs' vectors are given.
func seedOf(text string, a factor.Algorithm, digits int) factor.Seed {
	raw := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(text))
	return factor.Seed{Secret: secret.New(raw), Algorithm: a, Digits: digits, Period: 30}
}

const rfc = "12345678901234567890"

// TestHOTPVectors are those of RFC 4226 appendix D.
func TestHOTPVectors(t *testing.T) {
	t.Parallel()
	want := strings.Fields("755224 287082 359152 969429 338314 254676 287922 162583 399871 520489")
	for i, w := range want {
		got, err := seedOf(rfc, factor.SHA1, 6).Code(int64(i))
		if err != nil || got.Reveal() != w {
			t.Errorf("counter %d: %q, %v; want %s", i, got.Reveal(), err, w)
		}
	}
}

// TestTOTPVectors are those of RFC 6238 appendix B (with the keys of its erratum:
// as long as the hash).
func TestTOTPVectors(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("1234567890", 7)
	seeds := []factor.Seed{seedOf(rfc, factor.SHA1, 8), seedOf(long[:32], factor.SHA256, 8), seedOf(long[:64], factor.SHA512, 8)}
	for _, row := range []string{
		"59 94287082 46119246 90693936",
		"1111111109 07081804 68084774 25091201",
		"1111111111 14050471 67062674 99943326",
		"1234567890 89005924 91819424 93441116",
		"2000000000 69279037 90698825 38618901",
		"20000000000 65353130 77737706 47863826",
	} {
		var at int64
		var want [3]string
		if _, err := fmt.Sscan(row, &at, &want[0], &want[1], &want[2]); err != nil {
			t.Fatal(err)
		}
		for i, s := range seeds {
			got, err := s.Code(s.Step(time.Unix(at, 0)))
			if err != nil || got.Reveal() != want[i] {
				t.Errorf("%s at %d: %q, %v; want %s", s.Algorithm, at, got.Reveal(), err, want[i])
			}
		}
	}
}

func TestSteam(t *testing.T) {
	t.Parallel()
	s := seedOf(rfc, factor.SHA1, 5)
	s.Alphabet = factor.Steam
	got, err := s.Code(1)
	if err != nil || len(got.Reveal()) != 5 || strings.Trim(got.Reveal(), "23456789BCDFGHJKMNPQRTVWXY") != "" {
		t.Errorf("%q, %v", got.Reveal(), err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := factor.NewSeed()
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	if other := factor.NewSeed(); other.Secret.Equal(good.Secret) || len(good.Secret.Reveal()) != 32 {
		t.Error("a new seed is not 160 random bits")
	}
	for name, spoil := range map[string]func(*factor.Seed){
		"no algorithm":  func(s *factor.Seed) { s.Algorithm = "" },
		"MD5":           func(s *factor.Seed) { s.Algorithm = "MD5" },
		"5 digits":      func(s *factor.Seed) { s.Digits = 5 },
		"9 digits":      func(s *factor.Seed) { s.Digits = 9 },
		"Steam of 6":    func(s *factor.Seed) { s.Alphabet = factor.Steam },
		"no period":     func(s *factor.Seed) { s.Period = 0 },
		"long period":   func(s *factor.Seed) { s.Period = 301 },
		"negative":      func(s *factor.Seed) { s.Period = -30 },
		"no secret":     func(s *factor.Seed) { s.Secret = secret.Text{} },
		"72 bits":       func(s *factor.Seed) { s.Secret = seedOf("123456789", factor.SHA1, 6).Secret },
		"129 bytes":     func(s *factor.Seed) { s.Secret = seedOf(strings.Repeat("x", 129), factor.SHA1, 6).Secret },
		"other letters": func(s *factor.Seed) { s.Secret = secret.New("AAAAAAAAAAAAAAA1") },
	} {
		s := good
		spoil(&s)
		if s.Check() == nil {
			t.Errorf("%s is taken", name)
		}
		if c, err := s.Code(1); err == nil || !c.IsZero() {
			t.Errorf("%s: a code is made", name)
		}
		if _, r, err := s.Verify(secret.New("000000"), time.Unix(1e9, 0), factor.State{}, factor.UsualWindow()); err == nil || r.Verdict != factor.Wrong {
			t.Errorf("%s: a code is judged", name)
		}
	}
	if _, err := good.Code(-1); err == nil {
		t.Error("a step before 1970 has a code")
	}
}

func TestReadSecret(t *testing.T) {
	t.Parallel()
	want := "JBSWY3DPEHPK3PXP"
	for _, typed := range []string{want, "jbswy3dpehpk3pxp", "JBSW Y3DP EHPK 3PXP", " jbsw-y3dp-ehpk-3pxp== ", "JBSW\u00a0Y3DPEHPK3PXP"} {
		got, err := factor.ReadSecret(secret.New(typed))
		if err != nil || got.Reveal() != want {
			t.Errorf("%q: %q, %v", typed, got.Reveal(), err)
		}
	}
	for _, typed := range []string{
		"", "=", "JBSWY3DPEHPK3PX", "JBSWY3DPEHPK3PX1", "JBSWY3DPEHPK3PXÄ", "JBSW=Y3DPEHPK3PXP", strings.Repeat("A", 513), "ABCDEFGH",
		"JBSWY3DPEHPK3PXPA", "JBSWY3DPEHPK3PXPAAA", "0BSWY3DPEHPK3PXP", "JBSWY3DP\x00EHPK3PXP",
	} {
		got, err := factor.ReadSecret(secret.New(typed))
		if err == nil {
			t.Errorf("%q is taken as %q", typed, got.Reveal())
		} else if len(typed) > 8 && strings.Contains(err.Error(), typed[:8]) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
}
