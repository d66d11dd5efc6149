package mfa

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

// Kind is what a factor is.
type Kind string

// The kinds of factors.
const (
	TOTP     Kind = "totp"     // passcodes of an authenticator app (RFC 6238)
	Key      Kind = "key"      // a security key or passkey (WebAuthn)
	Recovery Kind = "recovery" // codes on paper, each good once
)

// Pass is not a factor that anybody keeps: it is shown once, and used once.
const Pass Kind = "pass"

// Kinds are the kinds of factors, the strongest first.
func Kinds() []Kind { return []Kind{Key, TOTP, Recovery} }

// AMR is the authentication method reference (RFC 8176) that a kind is answered with. A
// key is possession, also where it verified its user: nothing here is inherence.
func (k Kind) AMR() string {
	if k == Key {
		return "fido"
	}
	return "otp"
}

// Word is what people call a kind.
func (k Kind) Word() string {
	return map[Kind]string{TOTP: "authenticator app", Key: "security key or passkey", Recovery: "recovery codes", Pass: "temporary pass"}[k]
}

// The states of a person.
const (
	Active  = "active"
	Blocked = "blocked" // by the help desk: no factor of theirs is taken
)

// Person is an account that has, or is to have, factors here.
type Person struct {
	ID      string    `json:"id"`
	Account Account   `json:"account"`
	Name    string    `json:"name,omitempty"`  // shown
	Login   string    `json:"login,omitempty"` // shown
	State   string    `json:"state"`
	Made    time.Time `json:"made"`
	Last    time.Time `json:"last,omitzero"` // a factor was shown
	// Places are the networks a factor was shown from, the newest last.
	Places []string `json:"places,omitempty"`
	// Had says that they had a factor once: who had one does not enrol by signing in.
	Had bool `json:"had,omitempty"`
	// Handle is what security keys know the person by, base64url.
	Handle string `json:"handle"`
	// Refused says why the row does not count: it is not as it was written.
	Refused string `json:"refused,omitempty"`

	version int64
	mark    []byte
}

// Called is what a person is called.
func (p *Person) Called() string {
	for _, s := range []string{p.Name, p.Login, p.Account.Object} {
		if s != "" {
			return s
		}
	}
	return p.ID
}

// Factor is one factor of a person. Its secret is in the vault, and never shown again.
type Factor struct {
	ID     string    `json:"id"`
	Person string    `json:"person"`
	Kind   Kind      `json:"kind"`
	Label  string    `json:"label"`
	Made   time.Time `json:"made"`
	By     string    `json:"by"` // what allowed it: an invitation, a pass, another factor
	Last   time.Time `json:"last,omitzero"`

	// Of passcodes: what they are made by, the newest step that was used, and how far the
	// device's clock is off, in steps.
	Algorithm string `json:"algorithm,omitempty"`
	Digits    int    `json:"digits,omitempty"`
	Period    int    `json:"period,omitempty"`
	Step      int64  `json:"step,omitempty"`
	Drift     int    `json:"drift,omitempty"`
	// Far is how many steps off a passcode was that fitted at no allowed step, and when.
	Far   int       `json:"far,omitempty"`
	FarAt time.Time `json:"farAt,omitzero"`

	Model string `json:"model,omitempty"` // of keys: the AAGUID
	Left  int    `json:"left,omitempty"`  // of recovery codes: how many are not used

	Refused string `json:"refused,omitempty"`

	look       string
	credential json.RawMessage // of keys: what the library keeps, no secret
	codes      []string        // of recovery codes: a hash of each that is not used
	version    int64
	mark       []byte
}

// Invitation lets one account enrol its first factors, once.
type Invitation struct {
	ID     string    `json:"id"`
	Person string    `json:"person"`
	By     string    `json:"by"`
	Made   time.Time `json:"made"`
	Ends   time.Time `json:"ends"`
	State  string    `json:"state"` // waits, used, withdrawn

	hash    string
	version int64
	mark    []byte
}

// What two people of the help desk do together.
const (
	ActReset    = "reset"    // take every factor away, and invite anew
	ActPass     = "pass"     // a temporary pass
	ActRecovery = "recovery" // new recovery codes in place of the old
)

// The states of an act, and of an invitation.
const (
	Asked     = "asked"
	Approved  = "approved"
	Used      = "used"
	Withdrawn = "withdrawn"
	Waits     = "waits"
)

// Act is something that one person of the help desk asked for and another approves.
type Act struct {
	ID       string        `json:"id"`
	What     string        `json:"what"` // reset, pass
	Person   string        `json:"person"`
	State    string        `json:"state"`
	Reason   string        `json:"reason"`
	AskedBy  string        `json:"askedBy"`
	Asked    time.Time     `json:"asked"`
	By       string        `json:"by,omitempty"` // who approved or withdrew it
	Decided  time.Time     `json:"decided,omitzero"`
	Lifetime time.Duration `json:"lifetime,omitempty"` // of a pass, from its approval on
	Ends     time.Time     `json:"ends"`               // of the question, or of the pass
	Used     time.Time     `json:"used,omitzero"`
	Refused  string        `json:"refused,omitempty"`

	hash    string // argon2id, of a pass
	version int64
	mark    []byte
}

// Note is something that was seen of a person and that somebody should look at.
type Note struct {
	ID     string    `json:"id"`
	Person string    `json:"person"`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Source string    `json:"source,omitempty"` // the network, not the address
	Words  string    `json:"words"`
}

// The kinds of notes.
const (
	NoteNewPlace = "new-place" // a factor was shown from a network where none was before
	NoteRefusals = "refusals"  // many wrong answers
	NoteNotMe    = "not-me"    // the person said that it was somebody else
	NoteCopied   = "copied"    // a security key's counter went backwards
	NoteClock    = "clock"     // a passcode fitted far off: the device's clock, or ours
)

// Shown is a factor, or a pass, that was proven just now.
type Shown struct {
	Person Person
	Kind   Kind
	Factor string // id; of a pass the act's
	Left   int    // recovery codes that are left, where one was shown
	New    bool   // from a network where none was shown before
}

// Given is what an approved act gives, once, to who approved it: a pass, recovery codes,
// or the address of an invitation.
type Given struct {
	Pass  secret.Text
	Codes []secret.Text
	Link  secret.Text
}

var guidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Check refuses what is no account; it brings the ids to one spelling.
func (a *Account) Check() error {
	a.Tenant, a.Object = strings.ToLower(strings.TrimSpace(a.Tenant)), strings.ToLower(strings.TrimSpace(a.Object))
	switch {
	case !guidForm.MatchString(a.Tenant):
		return problem.New(problem.Usage, "%.60q is no tenant id", a.Tenant).WithHint("e.g. 11111111-2222-3333-4444-555555555555")
	case !guidForm.MatchString(a.Object):
		return problem.New(problem.Usage, "%.60q is no object id of a user", a.Object).WithHint("Entra ID shows it with the user")
	}
	return nil
}

func (a Account) look() string { return a.Tenant + "/" + a.Object }

// maxText bounds names and labels, in bytes.
const maxText = 200

// cleaned is a text of outside as it is kept: without what cannot be seen.
func cleaned(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.TrimSpace(s)
	for len(s) > maxText {
		s = s[:maxText]
		s = strings.ToValidUTF8(s, "")
	}
	return s
}

// strongest is the strongest kind of a list of factors that count; "" for none.
func strongest(list []Factor) Kind {
	for _, k := range Kinds() {
		if slices.ContainsFunc(list, func(f Factor) bool { return f.Kind == k && f.Refused == "" }) {
			return k
		}
	}
	return ""
}
