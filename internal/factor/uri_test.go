package factor_test

import (
	"strings"
	"testing"

	"partnerguard/internal/factor"
	"partnerguard/internal/secret"
)

const key = "JBSWY3DPEHPK3PXP"

func TestReadURI(t *testing.T) {
	t.Parallel()
	usual := factor.Seed{Algorithm: factor.SHA1, Digits: 6, Period: 30}
	with := func(a factor.Algorithm, digits, period int) factor.Seed {
		return factor.Seed{Algorithm: a, Digits: digits, Period: period}
	}
	for address, want := range map[string]factor.Entry{
		"otpauth://totp/Contoso:ada@contoso.com?secret=" + key + "&issuer=Contoso":              {Issuer: "Contoso", Account: "ada@contoso.com", Seed: usual},
		"otpauth://totp/Big%20Corp%3A%20ada?secret=" + key:                                      {Issuer: "Big Corp", Account: "ada", Seed: usual},
		"otpauth://totp/Big Corp:ada?secret=jbsw y3dp ehpk 3pxp&issuer=Big+Corp":                {Issuer: "Big Corp", Account: "ada", Seed: usual},
		"OTPAUTH://TOTP/ada?secret=" + key + "==&algorithm=sha256&digits=8&period=60":           {Account: "ada", Seed: with(factor.SHA256, 8, 60)},
		"otpauth://totp/ada?secret=" + key + "&algorithm=HMAC-SHA-512&digits=7&image=https://x": {Account: "ada", Seed: with(factor.SHA512, 7, 30)},
		"otpauth://totp/Old:ada?secret=" + key + "&issuer=New":                                  {Issuer: "New", Account: "ada", Seed: usual},
		"otpauth://hotp/ada?secret=" + key + "&counter=7":                                       {Account: "ada", Seed: usual, Counted: true, Counter: 7},
		"otpauth://totp?secret=" + key + "&issuer=I":                                            {Issuer: "I", Seed: usual},
		"\n otpauth://totp/%C3%84da?secret=" + key + "\r\n":                                     {Account: "Äda", Seed: usual},
		"steam://" + key: {Issuer: "Steam", Seed: factor.Seed{Algorithm: factor.SHA1, Digits: 5, Period: 30, Alphabet: factor.Steam}},
		"otpauth://totp/Steam:x?secret=" + key + "&encoder=steam": {Issuer: "Steam", Account: "x",
			Seed: factor.Seed{Algorithm: factor.SHA1, Digits: 5, Period: 30, Alphabet: factor.Steam}},
	} {
		want.Seed.Secret = secret.New(key)
		got, err := factor.ReadURI(secret.New(address))
		if err != nil || !got.Same(want) || got.Called() != want.Called() || got.Issuer != want.Issuer || got.Counter != want.Counter {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
}

// TestHostileURIs are refused, and no error holds the secret.
func TestHostileURIs(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"", "x", "https://totp/ada?secret=" + key, "otpauth:totp/ada?secret=" + key, "otpauth://", "otpauth://totp/ada", "otpauth://totp/ada?secret=",
		"otpauth://motp/ada?secret=" + key, "otpauth://totp/ada?secret=" + key + "&secret=" + key, "otpauth://totp/ada?SECRET=" + key + "&secret=" + key,
		"otpauth://totp/ada?secret=" + key + "&digits=5", "otpauth://totp/ada?secret=" + key + "&digits=9", "otpauth://totp/ada?secret=" + key + "&digits=six",
		"otpauth://totp/ada?secret=" + key + "&period=0", "otpauth://totp/ada?secret=" + key + "&period=-30", "otpauth://totp/ada?secret=" + key + "&period=301",
		"otpauth://totp/ada?secret=" + key + "&algorithm=MD5", "otpauth://totp/ada?secret=" + key + "&period=99999999999999999999",
		"otpauth://totp/a%0Ada?secret=" + key, "otpauth://totp/a%1B[2Jda?secret=" + key, "otpauth://totp/a%E2%80%AEda?secret=" + key,
		"otpauth://totp/a%FFda?secret=" + key, "otpauth://totp/a\xffda?secret=" + key, "otpauth://totp/%zz?secret=" + key, "otpauth://totp/ada?secret=%zz" + key,
		"otpauth://totp/ada;x?secret=" + key + ";digits=8", "otpauth://totp/" + strings.Repeat("a", 201) + "?secret=" + key,
		"otpauth://totp/ada?secret=" + key + "&x=" + strings.Repeat("a", 5000), "otpauth://hotp/ada?secret=" + key, "otpauth://hotp/ada?counter=-1&secret=" + key,
		"otpauth://totp/ada?secret=" + key[:8], "otpauth://totp/ada?secret=" + key + "0", "steam://", "steam://1234", "otpauth://totp:99x/ada?secret=" + key,
	} {
		e, err := factor.ReadURI(secret.New(address))
		if err == nil {
			t.Errorf("%q is taken: %+v", address, e)
		} else if strings.Contains(err.Error(), key[:8]) {
			t.Errorf("the error quotes the secret: %v", err)
		}
	}
}

func TestURI(t *testing.T) {
	t.Parallel()
	e := factor.Entry{Issuer: "Ä & Söhne", Account: "ada+1@contoso.com", Seed: factor.Seed{Secret: secret.New(key), Algorithm: factor.SHA1, Digits: 6, Period: 30}}
	got, err := e.URI()
	want := "otpauth://totp/%C3%84%20%26%20S%C3%B6hne:ada%2B1%40contoso.com?secret=" + key +
		"&issuer=%C3%84%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30"
	if err != nil || got.Reveal() != want {
		t.Errorf("%s, %v\nwant %s", got.Reveal(), err, want)
	}
	for name, spoil := range map[string]func(*factor.Entry){
		"colon in the issuer": func(e *factor.Entry) { e.Issuer = "a:b" }, "colon in the account": func(e *factor.Entry) { e.Account = "a:b" },
		"no account": func(e *factor.Entry) { e.Account = "" }, "no seed": func(e *factor.Entry) { e.Seed = factor.Seed{} },
		"Steam": func(e *factor.Entry) { e.Seed.Alphabet, e.Seed.Digits = factor.Steam, 5 },
	} {
		bad := e
		spoil(&bad)
		if u, err := bad.URI(); err == nil {
			t.Errorf("%s is written: %s", name, u.Reveal())
		}
	}
}

// FuzzURI: what is read makes codes, is shown without harm, and is read again from
// what is written of it.
func FuzzURI(f *testing.F) {
	f.Add("otpauth://totp/Contoso:ada?secret=" + key + "&issuer=Contoso&algorithm=SHA256&digits=8&period=60")
	f.Add("otpauth://hotp/ada?counter=1&secret=" + key)
	f.Add("steam://" + key)
	f.Fuzz(func(t *testing.T, address string) {
		e, err := factor.ReadURI(secret.New(address))
		if err != nil {
			return
		}
		if _, err := e.Seed.Code(1); err != nil {
			t.Fatalf("%q has no code: %v", address, err)
		}
		written, err := e.URI()
		if err != nil {
			return
		}
		again, err := factor.ReadURI(written)
		if err != nil || !again.Same(e) || again.Issuer != e.Issuer || again.Account != e.Account || again.Counter != e.Counter {
			t.Fatalf("%q is written as %q and read as %+v, %v", address, written.Reveal(), again, err)
		}
	})
}

func FuzzReadSecret(f *testing.F) {
	f.Add(key)
	f.Add("jbsw y3dp")
	f.Fuzz(func(t *testing.T, typed string) {
		s, err := factor.ReadSecret(secret.New(typed))
		if err != nil {
			return
		}
		if again, err := factor.ReadSecret(s); err != nil || !again.Equal(s) {
			t.Fatalf("%q is not in its own form", s.Reveal())
		}
	})
}
