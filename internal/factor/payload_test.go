package factor_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"partnerguard/internal/factor"
	"partnerguard/internal/secret"
)

// account is one message of otpauth-migration.
func account(raw, name, issuer string, algorithm, digits, typ, counter uint64) []byte {
	var b []byte
	text := func(f protowire.Number, s string) {
		b = protowire.AppendString(protowire.AppendTag(b, f, protowire.BytesType), s)
	}
	num := func(f protowire.Number, n uint64) {
		b = protowire.AppendVarint(protowire.AppendTag(b, f, protowire.VarintType), n)
	}
	text(1, raw)
	text(2, name)
	text(3, issuer)
	num(4, algorithm)
	num(5, digits)
	num(6, typ)
	num(7, counter)
	return b
}

func migration(parts, part uint64, accounts ...[]byte) string {
	var b []byte
	for _, a := range accounts {
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), a)
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), 1)
	b = protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), parts)
	b = protowire.AppendVarint(protowire.AppendTag(b, 4, protowire.VarintType), part)
	return "otpauth-migration://offline?data=" + url.QueryEscape(base64.StdEncoding.EncodeToString(b))
}

const hello = "Hello!\xde\xad\xbe\xef" // the bytes of key

// exports hold, each in its form, Contoso: ada with SHA256, 8 digits and 30 seconds
// as the first that is taken.
func exports() map[string]string {
	uri := "otpauth://totp/Contoso:ada?secret=" + key + "&issuer=Contoso&algorithm=SHA256&digits=8"
	return map[string]string{
		"addresses":            "# mine\n\n" + uri + "\r\n",
		"Google Authenticator": migration(2, 1, account(hello, "Contoso:ada", "Contoso", 2, 2, 2, 0), account(hello, "x", "", 4, 1, 2, 0)),
		"Aegis": `{"version":1,"header":{"slots":null,"params":null},"db":{"version":3,"entries":[{"type":"totp","uuid":"u","name":"ada","issuer":"Contoso",` +
			`"info":{"secret":"` + key + `","algo":"SHA256","digits":8,"period":30}},{"type":"yandex","name":"y","info":{"secret":"` + key + `"}}]}}`,
		"andOTP": `[{"secret":"` + key + `","issuer":"","label":"Contoso:ada","digits":8,"type":"TOTP","algorithm":"SHA256","period":30,"tags":[]},` +
			`{"secret":"!","label":"x"}]`,
		"2FAS": `{"services":[{"name":"Contoso","secret":"` + key + `","otp":{"account":"ada","digits":8,"period":30,"algorithm":"SHA256","tokenType":"TOTP"}}],"schemaVersion":4}`,
		"Bitwarden": `{"encrypted":false,"items":[{"name":"n","login":{"username":"u","password":"p","totp":"` + uri + `"}},{"name":"note"},` +
			`{"name":"y","login":{"totp":null}},{"name":"z","login":{"totp":"0"}}]}`,
		"Bitwarden (CSV)": "folder,name,login_username,login_password,login_totp\n,n,u,\"p\nq\"," + uri + "\n,m,v,p,\n",
		"KeePassXC (CSV)": "\"Group\",\"Title\",\"Username\",\"Password\",\"TOTP\"\n\"Root\",\"n\",\"u\",\"p\",\"" + uri + "\"\n",
		"KeePass (XML)": `<?xml version="1.0"?><KeePassFile><Root><Group><Entry><String><Key>Title</Key><Value>Contoso</Value></String>` +
			`<String><Key>UserName</Key><Value>ada</Value></String><String><Key>TimeOtp-Secret-Base32</Key><Value>` + key + `</Value></String>` +
			`<String><Key>TimeOtp-Algorithm</Key><Value>HMAC-SHA-256</Value></String><String><Key>TimeOtp-Length</Key><Value>8</Value></String>` +
			`<History><Entry><String><Key>otp</Key><Value>` + key + `</Value></String></Entry></History></Entry>` +
			`<Group><Entry><String><Key>TimeOtp-Secret-Hex</Key><Value>00</Value></String></Entry></Group></Group></Root></KeePassFile>`,
	}
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	want := factor.Entry{Seed: factor.Seed{Secret: secret.New(key), Algorithm: factor.SHA256, Digits: 8, Period: 30}}
	left := map[string]int{"Google Authenticator": 1, "Aegis": 1, "andOTP": 1, "Bitwarden": 1, "KeePass (XML)": 1}
	for format, text := range exports() {
		p, err := factor.ReadPayload(secret.New("\ufeff" + text))
		if err != nil || p.Format != format || len(p.Entries) != 1 || len(p.Left) != left[format] {
			t.Errorf("%s: %+v, %v", format, p, err)
			continue
		}
		if e := p.Entries[0]; !e.Same(want) || e.Issuer != "Contoso" || e.Account != "ada" {
			t.Errorf("%s: %+v", format, e)
		}
		for _, l := range p.Left {
			if l.Name == "" || l.Why == "" || strings.Contains(l.Name+l.Why, key) {
				t.Errorf("%s: %+v", format, l)
			}
		}
	}
	p, err := factor.ReadPayload(secret.New(exports()["Google Authenticator"]))
	if err != nil || p.Part != 2 || p.Parts != 2 {
		t.Errorf("part %d of %d, %v", p.Part, p.Parts, err)
	}
	bare, err := factor.ReadPayload(secret.New(`{"items":[{"name":"Contoso","login":{"username":"ada","totp":"jbsw y3dp ehpk 3pxp"}}]}`))
	if err != nil || len(bare.Entries) != 1 || bare.Entries[0].Called() != "Contoso: ada" {
		t.Errorf("%+v, %v", bare, err)
	}
}

// TestHostilePayloads are refused as a whole, with a sentence that quotes nothing.
func TestHostilePayloads(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ text, say string }{
		"nothing":                 {" \n ", "nothing to import"},
		"nothing but a comment":   {"# x\n", "no one-time passwords"},
		"too large":               {strings.Repeat("#", 8<<20+1), "larger than 8 MiB"},
		"a picture":               {"\x89PNG\r\n\x1a\n", "no text"},
		"a KeePass database":      {"\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5", "is encrypted"},
		"PGP":                     {"-----BEGIN PGP MESSAGE-----\n", "is encrypted"},
		"age":                     {"age-encryption.org/v1\n", "is encrypted"},
		"a ZIP":                   {"PK\x03\x04", "ZIP"},
		"Aegis, encrypted":        {`{"version":1,"header":{"slots":[{}]},"db":"AAAA"}`, "is encrypted"},
		"Bitwarden, encrypted":    {`{"encrypted":true,"passwordProtected":true,"data":"2.x"}`, "is encrypted"},
		"2FAS, encrypted":         {`{"services":[],"servicesEncrypted":"a:b:c","schemaVersion":4}`, "is encrypted"},
		"other JSON":              {`{"a":1}`, "no export that is known"},
		"JSON cut off":            {`{"items":[{"name":"` + key, "cut off"},
		"JSON of other types":     {`{"items":[{"name":7}]}`, "cannot be read"},
		"deep JSON":               {strings.Repeat("[", 20000), "cannot be read"},
		"Aegis without entries":   {`{"header":{},"db":{}}`, "no one-time passwords"},
		"a list of numbers":       {`[1,2]`, "cannot be read"},
		"other lines":             {"hello\n" + key, "line 1"},
		"a secret alone":          {key, "line 1"},
		"other CSV":               {"a,b\n1,2\n", "no column"},
		"broken CSV":              {"name,login_totp\n\"" + key + "\n", "cannot be read"},
		"other XML":               {"<html></html>", "no export of KeePass"},
		"XML cut off":             {"<KeePassFile><Root>", "no export of KeePass"},
		"an XML entity":           {`<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><KeePassFile><Root>&b;</Root></KeePassFile>`, "no export of KeePass"},
		"migration without data":  {"otpauth-migration://offline?x=1", "no data"},
		"migration twice":         {"otpauth-migration://offline?data=AA&data=AA", "no data"},
		"migration not base64":    {"otpauth-migration://offline?data=%21", "not base64"},
		"migration cut off":       {"otpauth-migration://offline?data=" + url.QueryEscape(base64.StdEncoding.EncodeToString([]byte{0x0a, 0xff})), "cut off"},
		"migration of another":    {"otpauth-migration://online?data=AA", "no otpauth-migration"},
		"more than 1000 entries":  {strings.Repeat("steam://"+key+"\n", 1001), "more than 1000"},
		"more than 1000 left out": {strings.Repeat("steam://1\n", 1001), "more than 1000"},
	} {
		p, err := factor.ReadPayload(secret.New(row.text))
		if err == nil || !strings.Contains(err.Error(), row.say) {
			t.Errorf("%s: %d entries, %v", name, len(p.Entries), err)
		} else if strings.Contains(err.Error(), key) {
			t.Errorf("%s: the error quotes the secret: %v", name, err)
		}
	}
}

// FuzzPayload: whatever is taken has codes, and names that can be shown.
func FuzzPayload(f *testing.F) {
	for _, text := range exports() {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := factor.ReadPayload(secret.New(text))
		if err != nil {
			return
		}
		for _, e := range p.Entries {
			if err := e.Seed.Check(); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			if strings.ContainsAny(e.Issuer+e.Account, "\n\r\x1b\x00") {
				t.Fatalf("%q would forge a line", e.Called())
			}
		}
		for _, l := range p.Left {
			if strings.ContainsAny(l.Name+l.Why, "\n\r\x1b\x00") {
				t.Fatalf("%q would forge a line", l)
			}
		}
	})
}

func FuzzReadCode(f *testing.F) {
	f.Add("abcde-fghjk")
	f.Fuzz(func(t *testing.T, typed string) {
		c, ok := factor.ReadCode(secret.New(typed))
		if !ok {
			return
		}
		if again, ok := factor.ReadCode(c); !ok || !again.Equal(c) {
			t.Fatalf("%q is not in its own form", c.Reveal())
		}
	})
}
