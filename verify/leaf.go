package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// Counts are how many values are shown and left out.
type Counts struct{ Shown, ByMember, ByLook, Withheld int64 }

// record is a record that was cut: its values, each at its path; or, withheld, its root.
type record struct {
	leaves []value
	root   hash
}

type value struct {
	path  string
	raw   []byte // as JSON; of one that is left out, its pseudonym
	shown bool
}

// maxRecord is how many bytes a line with one has at most.
const maxRecord = 512 << 20

var errRecord = errors.New("it is no record that was cut")

// over is the hash of a root as a leaf of what it is in.
func over(root hash) hash { return leafHash(root[:]) }

// parseRecord reads a record and computes its root.
func parseRecord(line []byte) (*record, error) {
	r := &record{}
	if len(line) > 0 && line[0] == '"' {
		text := strings.Trim(string(line), `"`)
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != len(r.root) || string(line) != `"`+hex.EncodeToString(b)+`"` {
			return nil, errRecord
		}
		r.root = hash(b)
		return r, nil
	}
	var tight bytes.Buffer
	if json.Compact(&tight, line) != nil || !bytes.Equal(tight.Bytes(), line) || line[0] != '[' || len(line) < 3 {
		return nil, errRecord
	}
	d := json.NewDecoder(bytes.NewReader(line))
	_, _ = d.Token() // the bracket
	var hashes []hash
	for d.More() {
		var part []json.RawMessage
		if d.Decode(&part) != nil || len(hashes) >= 1<<20 {
			return nil, errRecord
		}
		v, inner, err := parseValue(part)
		if err != nil {
			return nil, err
		}
		r.leaves = append(r.leaves, v)
		b := binary.AppendUvarint([]byte{0}, uint64(len(v.path)))
		hashes = append(hashes, sha256.Sum256(append(append(b, v.path...), inner[:]...)))
	}
	r.root = rootOf(hashes)
	return r, nil
}

// parseValue reads path, salt, value; or path, null, pseudonym, inner hash.
func parseValue(part []json.RawMessage) (v value, inner hash, err error) {
	if len(part) < 3 || json.Unmarshal(part[0], &v.path) != nil {
		return v, inner, errRecord
	}
	v.raw = part[2]
	if string(part[1]) == "null" {
		text := strings.Trim(string(part[len(part)-1]), `"`)
		h, ok := parseHash(text)
		if len(part) != 4 || !ok || v.raw[0] != '"' {
			return v, inner, errRecord
		}
		return v, h, nil
	}
	text := strings.Trim(string(part[1]), `"`)
	salt, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(part) != 3 || len(salt) != 16 || base64.StdEncoding.EncodeToString(salt) != text ||
		(v.raw[0] == '{' || v.raw[0] == '[') && len(v.raw) != 2 {
		return v, inner, errRecord
	}
	v.shown = true
	return v, sha256.Sum256(append(salt, v.raw...)), nil
}

// flat writes a record of members of one member, as a page's line is: {"page":{…}}.
func (r *record) flat() []byte {
	var b []byte
	for i, l := range r.leaves {
		outer, name, ok := strings.Cut(strings.TrimPrefix(l.path, "/"), "/")
		if !ok {
			return nil
		}
		if i == 0 {
			b = append(b, `{"`+outer+`":{`...)
		} else {
			b = append(b, ',')
		}
		quoted, _ := json.Marshal(name)
		b = append(append(append(b, quoted...), ':'), l.raw...)
	}
	return append(b, "}}"...)
}

// rule says what is left out: the members that it names, and what looks like such a value.
type rule struct {
	names, addresses bool
	keep             map[string]bool
}

func ruleOf(m *Manifest) *rule {
	if len(m.Redaction) == 0 {
		return nil
	}
	r := &rule{keep: map[string]bool{}}
	for _, w := range m.Redaction {
		r.names, r.addresses = r.names || w == "names", r.addresses || w == "addresses"
	}
	for _, k := range m.Kept {
		r.keep[k] = true
	}
	return r
}

// The members that the rules name, in lower case.
var (
	nameMembers = words(`userprincipalname userdisplayname displayname mail othermails proxyaddresses givenname surname firstname lastname
		middlename mailnickname onpremisesuserprincipalname onpremisessamaccountname onpremisesdistinguishedname mobilephone businessphones faxnumber
		phonenumber phone emailaddress email emails imaddresses employeeid streetaddress signinidentifier alternatenotificationemails
		technicalnotificationmails securitycompliancenotificationmails marketingnotificationemails username upn preferredname nickname
		addressline1 addressline2 contactname
		principaldisplayname principalname newvalue oldvalue assignedto requestorname approvername contactperson createdbydisplayname
		ownerdisplayname managerdisplayname`)
	addressMembers = words(`ipaddress ipaddressfromresourceprovider clientip clientipaddress calleripaddress sourceip
		geocoordinates latitude longitude altitude cidraddress loweraddress upperaddress postalcode`)
	mailForm      = regexp.MustCompile(`[^\s@"',;:/\\]+(?:@|%40)[^\s@"',;:/\\]+\.[^\s@"',;:/\\]+`)
	hostForm      = regexp.MustCompile(`[0-9A-Fa-f:.]{3,}`)
	pseudonymForm = regexp.MustCompile(`^"redacted-(v-)?[0-9a-f]{16}"$`)
)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// member is the name of the member that holds what is at a path.
func member(path string) string {
	for {
		i := strings.LastIndexAny(path, "/#")
		if i < 0 {
			return ""
		}
		if path[i] == '/' {
			return strings.ToLower(strings.NewReplacer("~0", "~", "~1", "/", "~2", "#").Replace(path[i+1:]))
		}
		path = path[:i]
	}
}

// byName says that the rule names the member. line is of the archive's line of an entry.
func (r *rule) byName(path string, line bool) bool {
	if line {
		return path == "/page/sha256"
	}
	m := member(path)
	place := strings.Contains(strings.ToLower(path), "/location/") && m != "countryorregion"
	return !r.keep[m] && (r.names && nameMembers[m] || r.addresses && (addressMembers[m] || place))
}

// leavesOut says that a shown value should not be.
func (r *rule) leavesOut(path string, raw []byte, line bool) bool {
	if r.byName(path, line) {
		return string(raw) != `""` && (raw[0] == '"' || raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
	}
	var text string
	if raw[0] != '"' || r.keep[member(path)] || json.Unmarshal(raw, &text) != nil {
		return false
	}
	filter := line && path == "/page/request" && (strings.Contains(text, "'") || strings.Contains(text, "%27"))
	return r.names && (filter || mailForm.MatchString(text)) || r.addresses && hosts(text)
}

// hosts says that an address of the internet is in a text, with a port or without.
func hosts(text string) bool {
	for _, w := range hostForm.FindAllString(text, -1) {
		w = strings.Trim(w, ".")
		_, err := netip.ParseAddr(w)
		_, err2 := netip.ParseAddrPort(w)
		_, err3 := netip.ParseAddr(strings.TrimSuffix(w, ":"))
		if err == nil || err2 == nil || err3 == nil {
			return true
		}
	}
	return false
}

// check holds a record to the rule, and counts.
func (r *rule) check(rec *record, line bool, n *Counts) error {
	if rec.leaves == nil {
		n.Withheld++
	}
	for _, l := range rec.leaves {
		switch {
		case l.shown:
			if n.Shown++; r.leavesOut(l.path, l.raw, line) {
				return fmt.Errorf("%.200s is shown, and its rule leaves it out", l.path)
			}
		case !pseudonymForm.Match(l.raw):
			return fmt.Errorf("%.200s is left out, and what stands for it is no pseudonym", l.path)
		case bytes.HasPrefix(l.raw, []byte(`"redacted-v-`)):
			n.ByLook++
		default:
			if n.ByMember++; !r.byName(l.path, line) {
				return fmt.Errorf("%.200s is left out, and its rule does not say so: the redaction was widened", l.path)
			}
		}
	}
	return nil
}
