package oath

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/problem"
)

// Token is one of our seeds, without it: what Entra ID has to know of it.
type Token struct {
	Serial   string `json:"serialNumber"` // how it is called here and there; letters, digits and -, 64 at most
	User     string `json:"user"`         // object id of its owner
	Name     string `json:"name"`         // shown to the owner
	Interval int    `json:"interval"`     // seconds
	Hash     string `json:"hash"`         // SHA1, SHA256, SHA512
	Digits   int    `json:"digits"`
}

// Device is a hardware OATH token as Entra ID shows it.
type Device struct {
	ID           string `json:"id"`
	Serial       string `json:"serialNumber"`
	Manufacturer string `json:"manufacturer"`
	Status       string `json:"status"` // available, assigned, activated, failedActivation
	To           *struct {
		ID string `json:"id"`
	} `json:"assignedTo"`
}

// Act is what is to be done with a token.
type Act string

// The acts. Kept and Refused do nothing.
const (
	Upload   Act = "upload"   // with its owner and a first code
	Assign   Act = "assign"   // it is there and nobody's
	Activate Act = "activate" // it is its owner's, and no code of it was shown
	Kept     Act = "kept"     // it is as it should be
	Refused  Act = "refused"  // Entra ID takes no such token, or another has its serial
)

// Step is one token's part of a plan.
type Step struct {
	Token  Token  `json:"token"`
	Act    Act    `json:"act"`
	Why    string `json:"why"`
	Device string `json:"device"` // its id at Entra ID; "" not there
}

// Maker is the manufacturer that our tokens name: another's are never touched.
const Maker = "Partnerguard"

// hashes are Graph's words for what makes a code.
var hashes = map[string]string{"SHA1": "hmacsha1", "SHA256": "hmacsha256"}

// maxTokens bounds one plan.
const maxTokens = 10_000

// Plan holds our tokens against those at Entra ID. The cloud has to be the public
// one; kind Usage otherwise. Equal lists give equal plans, by serial number.
func Plan(cloud string, tokens []Token, there []Device) ([]Step, error) {
	if cloud != entra.CloudPublic {
		return nil, problem.New(problem.Usage, "Entra ID takes hardware OATH tokens in the public cloud alone, and this is %s", cloud).
			WithHint("external MFA is the route in this cloud: partnerguard mfa register-with-entra --plan")
	}
	if len(tokens) > maxTokens {
		return nil, problem.New(problem.Limit, "%d tokens are more than one plan takes", len(tokens)).WithHint("%d at most", maxTokens)
	}
	by := map[string]*Device{}
	for i := range there {
		by[strings.ToLower(there[i].Serial)] = &there[i]
	}
	out := make([]Step, 0, len(tokens))
	seen := map[string]bool{}
	for _, t := range tokens {
		key := strings.ToLower(t.Serial)
		s := step(t, by[key])
		if seen[key] {
			s.Act, s.Why, s.Device = Refused, "two of our tokens have this serial number", ""
		}
		seen[key] = true
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b Step) int {
		return cmp.Compare(strings.ToLower(a.Token.Serial), strings.ToLower(b.Token.Serial))
	})
	return out, nil
}

func step(t Token, d *Device) Step {
	s := Step{Token: t, Act: Refused}
	switch {
	case !serial(t.Serial):
		s.Why = "its serial number is not 1 to 64 letters, digits and -"
	case t.User == "":
		s.Why = "it is nobody's"
	case t.Digits != 6:
		s.Why = fmt.Sprintf("Entra ID takes codes of 6 digits, and its have %d", t.Digits)
	case t.Interval != 30 && t.Interval != 60:
		s.Why = fmt.Sprintf("Entra ID takes steps of 30 or 60 seconds, and its have %d", t.Interval)
	case hashes[t.Hash] == "":
		s.Why = "Entra ID takes SHA1 and SHA256, and it has " + t.Hash
	case d == nil:
		s.Act, s.Why = Upload, "it is not there yet"
	default:
		return standing(s, d)
	}
	return s
}

// standing is a token whose serial number is there.
func standing(s Step, d *Device) Step {
	s.Device = d.ID
	mine := d.To != nil && strings.EqualFold(d.To.ID, s.Token.User)
	switch {
	case d.Manufacturer != Maker:
		s.Why = "a token of " + cmp.Or(d.Manufacturer, "an unnamed manufacturer") + " has this serial number"
	case d.To != nil && d.To.ID != "" && !mine:
		s.Why = "it is somebody else's there: take it away there first"
	case d.Status == "activated" && mine:
		s.Act, s.Why = Kept, "it is its owner's, and activated"
	case mine:
		s.Act, s.Why = Activate, "it is its owner's, and not activated yet"
	default:
		s.Act, s.Why = Assign, "it is there, and nobody's"
	}
	return s
}

func serial(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return true
}
