package form

import (
	"io"
	"strconv"
	"time"

	"partnerguard/internal/pack/leaf"
)

// Form names this form of a pack, and stands on the first line of what is signed.
const Form = "partnerguard-pack/1"

// Names of the entries that say what the pack is: the last ones of the file, in this
// order. ManifestName lists all others, NoteName signs it, StampName dates the note.
const (
	ManifestName = "pack.json"
	NoteName     = "pack.note"
	StampName    = "pack.tsr"
)

// Manifest is what a pack says of itself. What it lists, with the pages that
// evidence/index.jsonl lists, is all there is in the file.
type Manifest struct {
	Form      string    `json:"form"`
	Name      string    `json:"name"`
	Tool      string    `json:"tool"`               // the program and its version
	Tenant    string    `json:"tenant"`             // whose evidence it is
	Customer  string    `json:"customer,omitempty"` // the customer's tenant, of a pack of a partner about one
	From      time.Time `json:"from"`               // the period: From <= time < To
	To        time.Time `json:"to"`
	AsOf      time.Time `json:"asOf"`   // the moment that is judged: the end of the period, or when the pack was made
	Reader    string    `json:"reader"` // auditor, insurer, microsoft, customer
	Made      time.Time `json:"made"`
	Agreement string    `json:"agreement,omitempty"` // the edition in force on the day of AsOf
	Book      string    `json:"book,omitempty"`      // the revision of the rule book
	Evidence  string    `json:"evidence"`            // all, deciding, none
	Since     time.Time `json:"since"`               // of logs: what was answered earlier is not in it
	Redaction []string  `json:"redaction,omitempty"` // names, addresses; sorted
	Kept      []string  `json:"kept,omitempty"`      // members that are shown all the same, lower case, sorted
	// Leaves counts what is shown and what is left out, of a pack with redaction.
	Leaves   *leaf.Counts `json:"leaves,omitempty"`
	Key      string       `json:"key"`             // verifies the note and the checkpoints, as trail key prints it
	Trail    string       `json:"trail"`           // the origin of the checkpoints
	Stamp    bool         `json:"stamp,omitempty"` // a time stamp of the note is in the file
	Pages    Pages        `json:"pages"`
	Lacking  []string     `json:"lacking,omitempty"` // readings that policy removed pages of, sorted
	Entries  []Entry      `json:"entries"`           // in the order of the file
	Verdicts []Verdict    `json:"verdicts"`
	// Unjudged says why the verdicts need not come out again from the evidence inside;
	// "" says that they do.
	Unjudged string `json:"unjudged,omitempty"`
	// Recounted are verdicts that are unknown, with and without what is left out, and count
	// otherwise with it: what they counted before. Sorted by requirement.
	Recounted []Recount `json:"recounted,omitempty"`
}

// Recount is what a verdict counted before something was left out.
type Recount struct {
	Requirement string `json:"requirement"`
	Affected    int    `json:"affected,omitempty"`
	Total       int    `json:"total,omitempty"`
}

// Unknown is the verdict that decides nothing, in the words of package assess.
const Unknown = "unknown"

// Pages are how many pages of evidence there are. They are the first entries of the file.
type Pages struct {
	Count int64 `json:"count"`
	Bytes int64 `json:"bytes"` // in the file
}

// Entry is a file of the pack.
type Entry struct {
	Path   string `json:"path"`
	Kind   string `json:"kind"` // what it is: report, oscal, ocsf, rules, evidence, trail, …
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Verdict is what a requirement came to at a moment.
type Verdict struct {
	Requirement string    `json:"requirement"` // its id, or a practice's
	AsOf        time.Time `json:"asOf"`
	Verdict     string    `json:"verdict"` // in the words of package assess
	Reason      string    `json:"reason,omitempty"`
	Affected    int       `json:"affected,omitempty"`
	Total       int       `json:"total,omitempty"`
}

// File is a file that somebody else makes for a pack. Write is called once.
type File struct {
	Path  string // within the pack: lower case, no .., e.g. oscal/assessment-results.json
	Kind  string
	Write func(io.Writer) error
}

// What a pack has to be re-checked by.
const (
	IndexName       = "evidence/index.jsonl"    // what the archive says of each page, and of the ends of readings
	SegmentsName    = "evidence/segments.jsonl" // by which hashes they are in their segments
	EntriesName     = "trail/entries.jsonl"     // entries of the trail, as their canonical bytes
	ProofName       = "trail/proof.json"        // by which hashes they are under the last checkpoint
	CheckpointsName = "trail/checkpoints.jsonl" // signed, the oldest first
	ConsistencyName = "trail/consistency.json"  // that each is the beginning of the next
)

// Evidence says which pages are in a pack.
const (
	All      = "all"      // the newest whole lists as of the period's end, and the logs of the period
	Deciding = "deciding" // only those with records that the report cites
	None     = "none"
)

// Rules of redaction.
const (
	Names     = "names"     // who somebody is: names, user names, mail addresses, telephone numbers
	Addresses = "addresses" // where somebody was: addresses of the internet, places
)

// Count is the verdict with its numbers, where it has some.
func (v *Verdict) Count() string {
	if v.Total == 0 && v.Affected == 0 {
		return v.Verdict
	}
	return v.Verdict + " (" + strconv.Itoa(v.Affected) + " of " + strconv.Itoa(v.Total) + ")"
}
