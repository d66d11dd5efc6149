package factor

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"

	"partnerguard/internal/problem"
)

// readCSV reads Bitwarden's and KeePassXC's tables, told apart by their headings.
func readCSV(b []byte) (Payload, error) {
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = -1
	r.LazyQuotes = false
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return Payload{}, bad("the table has no line of headings that can be read")
	}
	at := map[string]int{}
	for i, h := range head {
		at[strings.ToLower(strings.TrimSpace(h))] = i + 1
	}
	p := Payload{Format: "KeePassXC (CSV)"}
	field, title, user := at["totp"], at["title"], at["username"]
	if at["login_totp"] > 0 {
		p.Format = "Bitwarden (CSV)"
		field, title, user = at["login_totp"], at["name"], at["login_username"]
	}
	if field == 0 {
		return p, bad("the table has no column TOTP or login_totp")
	}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil { // a ParseError says where, and quotes nothing
			return p, problem.Wrap(err, problem.BadInput, "the table cannot be read: %v", err)
		}
		cell := func(i int) string {
			if i < 1 || i > len(row) {
				return ""
			}
			return row[i-1]
		}
		if strings.TrimSpace(cell(field)) == "" {
			continue
		}
		if err := p.addField(cell(title), cell(user), cell(field)); err != nil {
			return p, err
		}
	}
}

type keePassGroup struct {
	Groups  []keePassGroup `xml:"Group"`
	Entries []struct {     // History inside of an entry is not read: it holds what was replaced
		Fields []struct {
			Key   string
			Value string
		} `xml:"String"`
	} `xml:"Entry"`
}

// readKeePassXML reads KeePass 2's XML export with the attributes of both its
// conventions: "otp" (an address, KeePassXC's) and "TimeOtp-…" (KeePass's own).
func readKeePassXML(b []byte) (Payload, error) {
	p := Payload{Format: "KeePass (XML)"}
	var file struct {
		XMLName xml.Name     `xml:"KeePassFile"`
		Root    keePassGroup `xml:"Root"`
	}
	if xml.Unmarshal(b, &file) != nil {
		return p, bad("the XML is no export of KeePass, or is cut off")
	}
	return p, p.addGroup(file.Root)
}

func (p *Payload) addGroup(g keePassGroup) error {
	for _, e := range g.Entries {
		f := map[string]string{}
		for _, s := range e.Fields {
			f[s.Key] = s.Value
		}
		if err := p.addKeePass(f); err != nil {
			return err
		}
	}
	for _, inner := range g.Groups {
		if err := p.addGroup(inner); err != nil {
			return err
		}
	}
	return nil
}

func (p *Payload) addKeePass(f map[string]string) error {
	title, user := f["Title"], f["UserName"]
	if v := f["otp"]; v != "" {
		return p.addField(title, user, v)
	}
	s := stored{issuer: title, account: user, secret: f["TimeOtp-Secret-Base32"], algorithm: strings.TrimPrefix(f["TimeOtp-Algorithm"], "HMAC-")}
	for _, form := range []string{"TimeOtp-Secret", "TimeOtp-Secret-Hex", "TimeOtp-Secret-Base64"} {
		if s.secret == "" && f[form] != "" {
			return p.add(title, Entry{}, bad("its secret is in the field %s; only TimeOtp-Secret-Base32 is read", form))
		}
	}
	if s.secret == "" {
		return nil
	}
	for key, to := range map[string]*int{"TimeOtp-Length": &s.digits, "TimeOtp-Period": &s.period} {
		if f[key] == "" {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(f[key]))
		if err != nil || n == 0 {
			return p.add(title, Entry{}, bad("its field %s is no number", key))
		}
		*to = n
	}
	return p.addStored(s)
}
