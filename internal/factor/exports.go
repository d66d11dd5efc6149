package factor

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/secret"
)

// readJSON tells the JSON exports apart by their members.
func readJSON(b []byte) (Payload, error) {
	if b[0] == '[' {
		return readAndOTP(b)
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(b, &top) != nil {
		return Payload{}, bad("the export is no JSON, or is cut off")
	}
	has := func(member string) bool { _, ok := top[member]; return ok }
	switch {
	case has("header") && has("db"):
		return readAegis(top["db"])
	case has("servicesEncrypted"), has("services") && has("schemaVersion"):
		return read2FAS(b)
	case has("encrypted"), has("items"):
		return readBitwarden(b)
	}
	return Payload{}, bad("this JSON is no export that is known").
		WithHint("Aegis, andOTP, 2FAS, Bitwarden, KeePassXC (CSV, XML), Google Authenticator's pictures and otpauth addresses are read")
}

// whole reads the JSON of a named export.
func whole(b []byte, into any, format string) error {
	if json.Unmarshal(b, into) != nil {
		return bad("the export of %s cannot be read: a member has another form, or it is cut off", format)
	}
	return nil
}

// stored is an entry as JSON exports keep it. Absent numbers are the usual ones.
type stored struct {
	kind, issuer, account string
	secret, algorithm     string
	digits, period        int
	counter               int64
}

func (s stored) entry() (e Entry, err error) {
	if e.Issuer, err = name("issuer", s.issuer); err != nil {
		return e, err
	}
	if e.Account, err = name("account", s.account); err != nil {
		return e, err
	}
	switch strings.ToLower(s.kind) {
	case "steam":
		return steam(s.secret, e.Issuer, e.Account)
	case "hotp":
		e.Counted, e.Counter = true, s.counter
	case "totp", "":
	default:
		return e, bad("codes of this type are not made")
	}
	e.Seed = Seed{Algorithm: SHA1, Digits: or(s.digits, UsualDigits), Period: or(s.period, UsualPeriod)}
	if s.algorithm != "" {
		if e.Seed.Algorithm, err = ReadAlgorithm(s.algorithm); err != nil {
			return e, err
		}
	}
	if e.Counter < 0 {
		return e, bad("the counter is no number from 0 on")
	}
	if e.Seed.Secret, err = ReadSecret(secret.New(s.secret)); err != nil {
		return e, err
	}
	return e, e.Seed.Check()
}

func or(n, usual int) int {
	if n == 0 {
		return usual
	}
	return n
}

func (p *Payload) addStored(s stored) error {
	e, err := s.entry()
	return p.add(strings.TrimPrefix(s.issuer+": "+s.account, ": "), e, err)
}

func readAegis(db json.RawMessage) (Payload, error) {
	p := Payload{Format: "Aegis"}
	if len(db) > 0 && db[0] == '"' {
		return p, encrypted("this export of Aegis", "export it there without encryption")
	}
	var v struct {
		Entries []struct {
			Type, Name, Issuer string
			Info               struct {
				Secret, Algo   string
				Digits, Period int
				Counter        int64
			}
		}
	}
	if err := whole(db, &v, p.Format); err != nil {
		return p, err
	}
	for _, e := range v.Entries {
		err := p.addStored(stored{e.Type, e.Issuer, e.Name, e.Info.Secret, e.Info.Algo, e.Info.Digits, e.Info.Period, e.Info.Counter})
		if err != nil {
			return p, err
		}
	}
	return p, nil
}

func readAndOTP(b []byte) (Payload, error) {
	p := Payload{Format: "andOTP"}
	var v []struct {
		Secret, Issuer, Label, Type, Algorithm string
		Digits, Period                         int
		Counter                                int64
	}
	if err := whole(b, &v, p.Format); err != nil {
		return p, err
	}
	for _, e := range v {
		// Old versions wrote "issuer:account" or "issuer - account" into the label.
		issuer, account, both := e.Issuer, e.Label, false
		if issuer == "" {
			if issuer, account, both = strings.Cut(e.Label, ":"); !both {
				issuer, account = "", e.Label
			}
		}
		if err := p.addStored(stored{e.Type, issuer, account, e.Secret, e.Algorithm, e.Digits, e.Period, e.Counter}); err != nil {
			return p, err
		}
	}
	return p, nil
}

func read2FAS(b []byte) (Payload, error) {
	p := Payload{Format: "2FAS"}
	var v struct {
		Services []struct {
			Name, Secret string
			OTP          struct {
				Account, Issuer, Algorithm, TokenType string
				Digits, Period                        int
				Counter                               int64
			} `json:"otp"`
		}
		ServicesEncrypted string `json:"servicesEncrypted"`
	}
	if err := whole(b, &v, p.Format); err != nil {
		return p, err
	}
	if v.ServicesEncrypted != "" {
		return p, encrypted("this backup of 2FAS", "export it there without a password")
	}
	for _, e := range v.Services {
		o := e.OTP
		if o.Issuer == "" {
			o.Issuer = e.Name
		}
		if err := p.addStored(stored{o.TokenType, o.Issuer, o.Account, e.Secret, o.Algorithm, o.Digits, o.Period, o.Counter}); err != nil {
			return p, err
		}
	}
	return p, nil
}

func readBitwarden(b []byte) (Payload, error) {
	p := Payload{Format: "Bitwarden"}
	var v struct {
		Encrypted bool
		Items     []struct {
			Name  string
			Login *struct {
				Username string
				TOTP     string `json:"totp"`
			}
		}
	}
	if err := whole(b, &v, p.Format); err != nil {
		return p, err
	}
	if v.Encrypted {
		return p, encrypted("this export of Bitwarden", "export it there as .json without encryption")
	}
	for _, i := range v.Items {
		if i.Login == nil || strings.TrimSpace(i.Login.TOTP) == "" {
			continue
		}
		if err := p.addField(i.Name, i.Login.Username, i.Login.TOTP); err != nil {
			return p, err
		}
	}
	return p, nil
}

// addField takes the one field in which password managers keep a code: an address,
// or a bare secret. Names that an address does not have are the entry's.
func (p *Payload) addField(title, user, field string) error {
	field = strings.TrimSpace(field)
	if !strings.Contains(field, "://") {
		return p.addStored(stored{issuer: title, account: user, secret: field})
	}
	e, err := ReadURI(secret.New(field))
	if err == nil && e.Account == "" {
		e.Account, err = name("account", user)
	}
	if err == nil && e.Issuer == "" {
		e.Issuer, err = name("issuer", title)
	}
	return p.add(title, e, err)
}
