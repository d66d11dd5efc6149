package evidence

import (
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Times says when an input was made, as far as it can be told. What is not known
// is nil.
type Times struct {
	Stated  *time.Time `json:"stated,omitempty"`  // the export says so itself
	Newest  *time.Time `json:"newest,omitempty"`  // the newest moment recorded in it: it was exported no earlier
	Written *time.Time `json:"written,omitempty"` // its file, or its entry in an archive, was written then: it holds nothing later
	// Live says that Newest comes from a list that moves every day, such as a log:
	// then it is also about when it was exported.
	Live bool `json:"live,omitempty"`
	// At is the moment for which it is taken to hold, and By what says so; set once
	// all inputs are read.
	At *time.Time `json:"at,omitempty"`
	By By         `json:"by,omitempty"`
	// Read is when it was read, which bounds what it can hold; Root is the folder
	// or archive that was named and in which it lies.
	Read time.Time `json:"-"`
	Root string    `json:"-"`
}

// See takes note of a moment that a record of the input carries. What lies after
// the reading is a promise or a wrong clock and dates nothing.
func (t *Times) See(at time.Time, live bool) {
	if at.IsZero() || at.Year() < firstYear || !t.Read.IsZero() && at.After(t.Read.Add(clockSlack)) {
		return
	}
	switch {
	case t.Newest == nil, live && !t.Live, live == t.Live && at.After(*t.Newest):
		t.Newest, t.Live = &at, live
	}
}

const (
	firstYear  = 2000           // before it a clock is a default, such as the first day of an archive's calendar
	clockSlack = 26 * time.Hour // zones that a table does not tell, and clocks that go wrong
)

// live are the kinds whose lists move every day in a tenant that is used: logs,
// and reports that Microsoft makes anew each day.
var live = map[Kind]bool{
	SignIn: true, UnifiedAuditSignIn: true, AuthenticationDetail: true, RegistrationDetails: true, CredentialRegistration: true,
	MFAAdoption: true, PartnerRequest: true, SecurityScore: true,
}

// logs are live kinds of which one list often lies in many files, a day or a
// month each: only the newest says how old the list is.
var logs = map[Kind]bool{SignIn: true, UnifiedAuditSignIn: true, AuthenticationDetail: true, MFAAdoption: true, PartnerRequest: true}

// IsLive reports a kind whose newest record says when it was exported.
func IsLive(k Kind) bool { return live[k] }

// IsLog reports a kind whose list grows by a record for each thing that happens.
func IsLog(k Kind) bool { return logs[k] }

// By says by what an input is dated.
type By string

// What dates an input, the surest first.
const (
	ByExport  By = "export"  // the export says it
	ByRecord  By = "record"  // the newest record of a list that moves every day
	ByFolder  By = "folder"  // the newest such record, or statement, of the folder or archive in which it lies
	ByFile    By = "file"    // the file's time: weak, since copying sets it
	ByNothing By = "nothing" // standard input has no time
)

// Dated is the moment for which what an input says is taken to hold.
type Dated struct {
	At time.Time // zero when nothing tells
	By By
	// Latest is the moment after which it cannot have been made, zero when nothing
	// bounds it.
	Latest time.Time
	Newest time.Time // newest record inside, of any kind; zero when it has none with a date
}

// Bound is the moment by which its age is counted: At, else Latest.
func (d Dated) Bound() time.Time {
	if d.At.IsZero() {
		return d.Latest
	}
	return d.At
}

// Date dates inputs, one answer each, in their order. A file's time is believed
// only where nothing inside the folder tells more: see docs/decisions/0010.
func Date(inputs []Input) []Dated {
	tops := map[string]time.Time{} // folder -> newest that a live record or a statement in it says
	for i := range inputs {
		in := &inputs[i]
		at, sure := in.own()
		if !sure {
			continue
		}
		for _, dir := range folders(in) {
			if at.After(tops[dir]) {
				tops[dir] = at
			}
		}
	}
	out := make([]Dated, len(inputs))
	for i := range inputs {
		out[i] = inputs[i].date(tops)
	}
	return out
}

// Dates reports an input whose time matters: it holds records of the tenant, not
// only what people vouch for, or what nothing is decided by.
func (in *Input) Dates() bool {
	for k := range in.Kinds {
		if k != Vouched && !slices.Contains(Unjudged(), k) {
			return true
		}
	}
	return false
}

// own is what the input says of its own time.
func (in *Input) own() (at time.Time, sure bool) {
	switch t := &in.Times; {
	case t.Stated != nil:
		return *t.Stated, true
	case t.Newest != nil && t.Live:
		return *t.Newest, true
	}
	return time.Time{}, false
}

func (in *Input) date(tops map[string]time.Time) (d Dated) {
	t := &in.Times
	d.Latest = t.Read
	if t.Newest != nil {
		d.Newest = *t.Newest
	}
	written := t.Written != nil && t.Written.Year() >= firstYear && !t.Written.Add(clockSlack).Before(d.Newest)
	if written && (d.Latest.IsZero() || t.Written.Before(d.Latest)) {
		d.Latest = *t.Written
	}
	if at, sure := in.own(); sure {
		d.At, d.By = at, ByRecord
		if t.Stated != nil {
			d.By = ByExport
		}
		return d
	}
	for _, dir := range folders(in) {
		at, here := tops[dir]
		if !here {
			continue
		}
		d.At, d.By = at, ByFolder
		if d.Newest.After(at) {
			d.At, d.By = d.Newest, ByRecord
		}
		if written && t.Written.Before(d.At) { // it was there before the rest was exported
			d.At, d.By = *t.Written, ByFile
		}
		return d
	}
	switch {
	case written:
		d.At, d.By = *t.Written, ByFile
	case t.Written != nil && t.Newest != nil: // the file's time contradicts what is in it
		d.At, d.By = d.Newest, ByRecord
	default:
		d.By = ByNothing
	}
	return d
}

// folders are the folders in which an input lies, the nearest first, up to the
// one that was named. The entries of an archive lie in it.
func folders(in *Input) (dirs []string) {
	p := path.Clean(strings.ReplaceAll(filepath.ToSlash(in.Path), "!", "/"))
	root := path.Dir(p)
	if in.Times.Root != "" {
		root = path.Clean(filepath.ToSlash(in.Times.Root))
	}
	for dir := path.Dir(p); ; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
		if dir == root || len(dir) <= len(root) || dir == "." || dir == "/" {
			return dirs
		}
	}
}

// DateKinds dates the list of each kind: as new as the newest input that holds
// it, for two exports of one list fold and the newer counts.
func DateKinds(inputs []Input, dated []Dated) map[Kind]Dated {
	out := map[Kind]Dated{}
	for i := range inputs {
		for k := range inputs[i].Kinds {
			d := dated[i]
			if old, twice := out[k]; twice && !old.Bound().Before(d.Bound()) {
				continue
			}
			out[k] = d
		}
	}
	return out
}

// Span is the oldest and the newest of the inputs that hold something, by the
// time that dates them.
type Span struct {
	Oldest, Newest         time.Time
	OldestPath, NewestPath string
}

// SpanOf looks at the inputs that hold records. Of logs only the newest file
// counts: that older days lie in files of their own is no mixture.
func SpanOf(inputs []Input, dated []Dated) (s Span, any bool) {
	type seen struct {
		at   time.Time
		path string
	}
	var all []seen
	last := map[Kind]seen{}
	for i := range inputs {
		in := &inputs[i]
		at := dated[i].At
		if !in.Dates() || at.IsZero() {
			continue
		}
		log := false
		for k := range in.Kinds {
			if log = log || logs[k]; logs[k] && at.After(last[k].at) {
				last[k] = seen{at, in.Path}
			}
		}
		if !log {
			all = append(all, seen{at, in.Path})
		}
	}
	for _, l := range last {
		all = append(all, l)
	}
	if len(all) == 0 {
		return s, false
	}
	slices.SortFunc(all, func(a, b seen) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return strings.Compare(a.path, b.path)
	})
	first, end := all[0], all[len(all)-1]
	return Span{first.at, end.at, first.path, end.path}, true
}
