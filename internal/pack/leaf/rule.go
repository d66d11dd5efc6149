package leaf

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"

	"partnerguard/internal/directory"
	"partnerguard/internal/problem"
)

// Rule says what is left out: by the name of the member that holds it, or because it
// looks like an address.
type Rule struct {
	Names     bool            // who somebody is
	Addresses bool            // where somebody was
	Keep      map[string]bool // members that are shown all the same, lower case
}

// nameMembers hold who somebody is; lower case.
var nameMembers = words(`userPrincipalName userDisplayName displayName mail otherMails proxyAddresses givenName surname firstName lastName
	middleName mailNickname onPremisesUserPrincipalName onPremisesSamAccountName onPremisesDistinguishedName mobilePhone businessPhones faxNumber
	phoneNumber phone emailAddress email emails imAddresses employeeId streetAddress signInIdentifier alternateNotificationEmails
	technicalNotificationMails securityComplianceNotificationMails marketingNotificationEmails userName upn preferredName nickname
	addressLine1 addressLine2 contactName principalDisplayName principalName newValue oldValue assignedTo requestorName approverName contactPerson
	createdByDisplayName ownerDisplayName managerDisplayName createdByUserName lastModifiedUserName initiatorName aboutMe birthday deviceName computerName hostName
	description justification notes internalNotes comment comments`)

// addressMembers hold where somebody was.
var addressMembers = words(`ipAddress ipAddressFromResourceProvider clientIp clientIpAddress callerIpAddress sourceIp
	geoCoordinates latitude longitude altitude cidrAddress lowerAddress upperAddress postalCode city officeLocation location`)

// givenNames are what Microsoft calls something in every tenant alike: they name nobody, and
// who reaches customers is found by them.
var givenNames = words(`AdminAgents HelpdeskAgents SalesAgents`)

// openMembers hold sentences: of what stands for them nothing is kept.
var openMembers = words(`newValue oldValue description justification notes internalNotes comment comments aboutMe`)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(strings.ToLower(s)) {
		out[w] = true
	}
	return out
}

var (
	mailForm = regexp.MustCompile(`[^\s@"',;:/\\]+(?:@|%40)[^\s@"',;:/\\]+\.[^\s@"',;:/\\]+`)
	hostForm = regexp.MustCompile(`[0-9A-Fa-f:.]{3,}`) // what an address of the internet is written with
)

// Why says by what a scalar is left out.
type Why uint8

const (
	Shown    Why = iota
	ByMember     // the rule names the member that holds it
	ByLook       // it looks like what the rule leaves out
)

// sumPath is the sum of a page in its line: who has it could try what was left out.
const sumPath = "/page/sha256"

// Member is the name of the member that holds what is at a path, lower case.
func Member(path string) string {
	for {
		i := strings.LastIndexAny(path, "/#")
		if i < 0 {
			return ""
		}
		if path[i] == '/' {
			return strings.ToLower(unescape(path[i+1:]))
		}
		path = path[:i]
	}
}

// Member is the member of a path that the rule names, lower case: the one that holds the
// value, or one around it. "": it names none. Of a place the country is shown.
func (r *Rule) Member(path string) string {
	for step := range strings.SplitSeq(path, "/") {
		step, _, _ = strings.Cut(step, "#")
		m := strings.ToLower(unescape(step))
		if m == "" || r.Keep[m] || !(r.Names && nameMembers[m] || r.Addresses && addressMembers[m]) {
			continue
		}
		if m == "location" && Member(path) == "countryorregion" {
			continue
		}
		return m
	}
	return ""
}

// named says that the rule names a member of a path. line is of a page's line.
func (r *Rule) named(path string, line bool) bool {
	if line {
		return path == sumPath
	}
	return r.Member(path) != ""
}

// annotations are members that services put beside another, whose names look like a mail
// address.
var annotations = strings.NewReplacer("@odata.", "", "@microsoft.graph.", "")

// tells says that a path itself says who or where: an object has members that are named
// after people or addresses. No pseudonym can stand for these, so such a record is withheld.
func (r *Rule) tells(path string) bool {
	if !strings.ContainsAny(path, "@%.:") {
		return false
	}
	path = annotations.Replace(path)
	return r.Names && mailForm.MatchString(path) || r.Addresses && hosts([]byte(path))
}

// Of says whether a scalar is left out. line is of a page's line, or a run's.
func (r *Rule) Of(path string, raw []byte, line bool) Why {
	if r.named(path, line) {
		switch raw[0] {
		case '"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			if string(raw) != `""` && !(raw[0] == '"' && givenNames[strings.ToLower(string(raw[1:len(raw)-1]))]) {
				return ByMember
			}
		}
		return Shown // of what is not there, or true or not, nothing is told
	}
	if raw[0] != '"' || r.Keep[Member(path)] {
		return Shown
	}
	text := raw
	if strings.IndexByte(string(raw), '\\') >= 0 {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return ByLook
		}
		text = []byte(s)
	}
	switch {
	case r.Names && mailForm.Match(text):
		return ByLook
	case r.Addresses && hosts(text):
		return ByLook
	case r.Names && line && path == "/page/request" && strings.ContainsAny(string(text), "'"):
		return ByLook // a filter by a name
	case r.Names && line && path == "/page/request" && strings.Contains(string(text), "%27"):
		return ByLook
	}
	return Shown
}

// hosts says that an address of the internet is in a text, with a port or without.
func hosts(text []byte) bool {
	for _, word := range hostForm.FindAll(text, -1) {
		w := strings.Trim(string(word), ".")
		if _, err := netip.ParseAddr(w); err == nil {
			return true
		}
		if _, err := netip.ParseAddrPort(w); err == nil {
			return true
		}
		if _, err := netip.ParseAddr(strings.TrimSuffix(w, ":")); err == nil {
			return true
		}
	}
	return false
}

// Pseudonyms gives equal values equal pseudonyms, within one pack.
type Pseudonyms struct{ key []byte }

// NewPseudonyms takes a key of that pack alone.
func NewPseudonyms(key []byte) *Pseudonyms { return &Pseudonyms{key} }

const (
	byMember = "redacted-"
	byLook   = "redacted-v-"
)

// Of is the pseudonym of a value, as a JSON text: of 64 bits, so that in a pack of a
// million names two hardly ever meet. Case is not told apart. Of a name it ends in what the
// name says of the kind of its account ([directory.Kept]), since accounts are judged by it.
func (p *Pseudonyms) Of(path string, raw []byte, why Why) []byte {
	value := string(raw)
	if raw[0] == '"' {
		_ = json.Unmarshal(raw, &value)
	}
	h := hmac.New(sha256.New, p.key)
	h.Write([]byte(strings.ToLower(value)))
	head, end := byLook, ""
	if why == ByMember {
		if head = byMember; !openMembers[Member(path)] {
			end = directory.Kept(value)
		}
	}
	return []byte(`"` + head + hex.EncodeToString(h.Sum(nil)[:8]) + end + `"`)
}

var pseudonymForm = regexp.MustCompile(`^"redacted-(v-)?[0-9a-f]{16}(-emergency)?(-bg)?(-service)?(-shared)?(-account)?(-mailbox)?(#EXT#)?"$`)

// Counts are how many leaves there are.
type Counts struct {
	Shown    int64 `json:"shown"`
	ByMember int64 `json:"byMember"`
	ByLook   int64 `json:"byLook"`
	Withheld int64 `json:"withheld"` // records that are there by their root
}

// Redact leaves out of a record what the rule says, or the whole record where its paths say
// it, and counts.
func (r *Rule) Redact(rec *Record, line bool, p *Pseudonyms, n *Counts) {
	for i := range rec.Leaves {
		if r.tells(rec.Leaves[i].Path) {
			rec.Leaves = nil
			n.Withheld++
			return
		}
	}
	for i := range rec.Leaves {
		l := &rec.Leaves[i]
		why := r.Of(l.Path, l.Raw, line)
		switch why {
		case Shown:
			n.Shown++
			continue
		case ByMember:
			n.ByMember++
		case ByLook:
			n.ByLook++
		}
		l.Raw, l.Salt = p.Of(l.Path, l.Raw, why), nil
	}
}

// Check holds a record that was read to the rule: what the rule leaves out is not shown,
// and what is left out the rule leaves out.
func (r *Rule) Check(rec *Record, line bool, n *Counts) error {
	if rec.Leaves == nil {
		n.Withheld++
	}
	for i := range rec.Leaves {
		l := &rec.Leaves[i]
		if r.tells(l.Path) {
			return problem.New(problem.Unmet, "the path of its value %d says who or where somebody is", i+1)
		}
		if l.Salt != nil {
			if n.Shown++; r.Of(l.Path, l.Raw, line) != Shown {
				return problem.New(problem.Unmet, "%.200s is shown, and its rule leaves it out", l.Path)
			}
			continue
		}
		if !pseudonymForm.Match(l.Raw) {
			return problem.New(problem.Unmet, "%.200s is left out, and what stands for it is no pseudonym", l.Path)
		}
		if strings.HasPrefix(string(l.Raw), `"`+byLook) {
			n.ByLook++
			continue
		}
		if n.ByMember++; !r.named(l.Path, line) {
			return problem.New(problem.Unmet, "%.200s is left out, and its rule does not say so: the redaction was widened", l.Path)
		}
	}
	return nil
}
