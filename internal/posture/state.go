package posture

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The verdicts of a requirement or account, as a report has them.
const (
	Met           = "met"
	NotMet        = "not_met"
	Unknown       = "unknown"
	Attested      = "attested"
	NotApplicable = "not_applicable"
)

// Position is where the evidence of a judgement ended: the newest segment of the
// archive, and the root of its pages. Empty where it was no archive.
type Position struct {
	Segment string `json:"segment,omitempty"`
	Root    string `json:"root,omitempty"`
}

// State is one tenant as it was judged at one moment. Lists may come in any order.
type State struct {
	Tenant   string
	AsOf     time.Time // judged as of
	Judged   time.Time // when
	Book     string    // the rule book's day, 2006-01-02
	Program  string
	Position Position

	Requirements  []Requirement
	Accounts      []Account
	Settings      []Setting
	Lists         []List
	Disagreements []Disagreement
	Statements    []Statement
}

// Requirement is what was said of one requirement.
type Requirement struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Level    string   `json:"level"`
	Binding  string   `json:"binding"` // how the rule stood: announced, contract, enforced ...
	Verdict  string   `json:"verdict"`
	Reason   string   `json:"reason"` // not compared: it may count days
	Affected int      `json:"affected,omitempty"`
	Total    int      `json:"total,omitempty"`
	Unit     string   `json:"unit,omitempty"`
	Stale    bool     `json:"stale,omitempty"`    // its evidence was too old
	Kinds    []string `json:"kinds,omitempty"`    // of evidence that decide it
	Subjects []string `json:"subjects,omitempty"` // what decided it, the first few
	Sources  []string `json:"sources,omitempty"`  // where that was read; not compared
}

// The covers of an account.
const (
	Covered    = "covered"
	NotCovered = "not_covered"
)

// Account is what was known of one account.
type Account struct {
	ID             string     `json:"id"`
	Name           string     `json:"name"` // user principal name
	Class          string     `json:"class"`
	InScope        bool       `json:"inScope"`
	Enabled        bool       `json:"enabled"`
	Verdict        string     `json:"verdict"`
	Reason         string     `json:"reason"`           // not compared
	Cover          string     `json:"cover"`            // covered, not_covered, unknown: what the settings prove
	Every          string     `json:"every,omitempty"`  // cover at every sign-in the settings tell apart; "" where it was not kept
	By             []string   `json:"by,omitempty"`     // ids of the policies that ask it for MFA or block it in an ordinary sign-in
	ByName         []string   `json:"byName,omitempty"` // their names
	Factor         string     `json:"factor"`           // strongest registered: none, phone, otp, app, phishing_resistant, unknown
	Roles          []string   `json:"roles,omitempty"`
	LastUnasked    *time.Time `json:"lastUnasked,omitempty"` // last success without MFA in the log
	Source         string     `json:"source,omitempty"`      // not compared
	DirectoryKnown bool       `json:"directoryKnown"`        // the account itself was read, not only its sign-ins
}

// Setting is a policy or another setting, flattened: each member by its path.
type Setting struct {
	Kind    string            `json:"kind"` // evidence kind, e.g. conditionalAccessPolicy
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	Members map[string]string `json:"members"`
	Names   map[string]string `json:"names,omitempty"` // what ids among the values are called; not compared
	Source  string            `json:"source,omitempty"`
}

// The standings of a list.
const (
	ListWhole   = "whole"
	ListCut     = "cut"     // not all of it
	ListRefused = "refused" // by licence or permission
	ListAbsent  = "absent"
)

// List is how one kind of evidence was known.
type List struct {
	Kind  string `json:"kind"`
	State string `json:"state"`
	Why   string `json:"why,omitempty"` // not compared
	// Days is over how many days a log goes, roughly, so that it changes seldom.
	Days int `json:"days,omitempty"`
}

// Disagreement is a place where settings and log say different things.
type Disagreement struct {
	Account string     `json:"account"`
	Text    string     `json:"text"`
	At      *time.Time `json:"at,omitempty"`     // of the newest row; not compared
	Record  string     `json:"record,omitempty"` // not compared
	Source  string     `json:"source,omitempty"`
}

// Statement is an attestation or exception that somebody made, as it stood.
type Statement struct {
	Kind        string `json:"kind"`
	Requirement string `json:"requirement,omitempty"`
	Account     string `json:"account,omitempty"`
	Who         string `json:"who"`
	Until       string `json:"until"`
	State       string `json:"state"` // in_force, expired, not_yet
}

// The kinds of kept rows.
const (
	ofRequirement  = "requirement"
	ofAccount      = "account"
	ofSetting      = "setting"
	ofList         = "list"
	ofDisagreement = "disagreement"
	ofStatement    = "statement"
)

// fact is one row: something known from a round on.
type fact struct {
	kind, subject string
	body, digest  string
	since, till   int64
}

func (f *fact) key() string { return f.kind + "\x00" + f.subject }

// maxSubject bounds the key of a row; longer ones are hashed.
const maxSubject = 200

func subject(parts ...string) string {
	s := strings.ToLower(strings.Join(parts, "\x1f"))
	if len(s) > maxSubject || strings.ContainsRune(s, 0) {
		sum := sha256.Sum256([]byte(s))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\x1f", "|"), "?")
}

// pack makes the row of a value; compared is what of it counts as a difference.
func pack(kind, subject string, value, compared any) (fact, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return fact{}, fmt.Errorf("%s %s: %w", kind, subject, err)
	}
	what, err := json.Marshal(compared)
	if err != nil {
		return fact{}, fmt.Errorf("%s %s: %w", kind, subject, err)
	}
	sum := sha256.Sum256(what)
	// PostgreSQL keeps no zero byte in a text, and JSON escapes it.
	return fact{kind: kind, subject: subject, body: string(body), digest: hex.EncodeToString(sum[:16])}, nil
}

// facts brings a state to rows, one a subject.
func (s *State) facts() (map[string]fact, error) {
	out := map[string]fact{}
	add := func(kind, subject string, value, compared any) error {
		f, err := pack(kind, subject, value, compared)
		if err == nil {
			out[f.key()] = f
		}
		return err
	}
	for _, r := range s.Requirements {
		c := r
		c.Reason, c.Sources, c.Title = "", nil, ""
		if err := add(ofRequirement, subject(r.ID), r, c); err != nil {
			return nil, err
		}
	}
	for _, a := range s.Accounts {
		slices.Sort(a.Roles)
		c := a
		c.Reason, c.Source = "", ""
		if err := add(ofAccount, subject(a.ID), a, c); err != nil {
			return nil, err
		}
	}
	for _, x := range s.Settings {
		c := x
		c.Names, c.Source = nil, ""
		if err := add(ofSetting, subject(x.Kind, x.ID), x, c); err != nil {
			return nil, err
		}
	}
	for _, l := range s.Lists {
		if err := add(ofList, subject(l.Kind), l, List{Kind: l.Kind, State: l.State, Days: l.Days}); err != nil {
			return nil, err
		}
	}
	for _, d := range s.Disagreements {
		if err := add(ofDisagreement, subject(d.Account, said(d.Text)), d, Disagreement{Account: d.Account, Text: said(d.Text)}); err != nil {
			return nil, err
		}
	}
	for _, v := range s.Statements {
		if err := add(ofStatement, subject(v.Kind, v.Requirement, v.Account, v.Who, v.Until), v, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// said is a disagreement's text without the count of rows at its end.
func said(text string) string {
	if i := strings.LastIndex(text, " ("); i > 0 && strings.HasSuffix(text, ")") {
		return text[:i]
	}
	return text
}

// unpack puts a row back into a state. The error names the row.
func (s *State) unpack(f *fact) error {
	var err error
	switch f.kind {
	case ofRequirement:
		s.Requirements, err = unpacked(s.Requirements, f)
	case ofAccount:
		s.Accounts, err = unpacked(s.Accounts, f)
	case ofSetting:
		s.Settings, err = unpacked(s.Settings, f)
	case ofList:
		s.Lists, err = unpacked(s.Lists, f)
	case ofDisagreement:
		s.Disagreements, err = unpacked(s.Disagreements, f)
	case ofStatement:
		s.Statements, err = unpacked(s.Statements, f)
	}
	return err
}

func unpacked[T any](list []T, f *fact) ([]T, error) {
	var v T
	if err := json.Unmarshal([]byte(f.body), &v); err != nil {
		return list, fmt.Errorf("the kept row of %s %s cannot be read: %w", f.kind, f.subject, err)
	}
	return append(list, v), nil
}
