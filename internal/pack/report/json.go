package report

import (
	"bytes"
	"encoding/json"
	"io"
	"time"

	"partnerguard/internal/assess/render"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
	"partnerguard/internal/vouch"
)

// The forms of what is written.
const (
	ReportSchema = "partnerguard.pack-report/1"
	BookSchema   = "partnerguard.pack-book/1"
	BesideSchema = "partnerguard.pack-beside/1" // what was judged by beside the pages
)

// about is what every file says of the pack that it is in.
type about struct {
	Name      string    `json:"name"`
	Tool      string    `json:"tool"`
	Made      time.Time `json:"made"`
	Reader    Reader    `json:"reader"`
	Tenant    string    `json:"tenant"`
	Title     string    `json:"tenantName,omitempty"`
	Customer  string    `json:"customer,omitempty"`
	From      time.Time `json:"from"`
	To        time.Time `json:"to"`
	Redacted  []string  `json:"redacted"`
	Evidence  string    `json:"evidence"`
	Rejudges  bool      `json:"rejudges"`
	Agreement Agreement `json:"agreement"`
}

func (in *Input) about() about {
	return about{in.Name, in.Tool, in.Made.UTC(), in.Reader, in.Tenant, in.Title, in.Customer, in.From.UTC(), in.To.UTC(), print.List(in.Redacted),
		in.Evidence, in.Rejudges, in.Agreement}
}

// reportJSON is all that is told, for programs.
func (in *Input) reportJSON(w io.Writer) error {
	var assessed bytes.Buffer
	if err := render.JSON(&assessed, in.Report); err != nil {
		return err
	}
	return print.JSON(w, struct {
		Schema     string          `json:"schema"`
		Pack       about           `json:"pack"`
		LeftOut    []string        `json:"leftOut"`
		Days       []Day           `json:"days"`
		Assessment json.RawMessage `json:"assessment"`
		Practices  json.RawMessage `json:"practices,omitempty"`
	}{ReportSchema, in.about(), print.List(in.told()), print.List(in.Days), assessed.Bytes(), in.Practices})
}

// bookRule is a rule as it stood.
type bookRule struct {
	partner.Rule
	Standing partner.Standing `json:"standing"` // at the end of the period
	Why      string           `json:"why"`
	Changes  []bookChange     `json:"changes"` // how it stood at the period's beginning and each day that it changed
}

type bookChange struct {
	Date     string           `json:"date"`
	Standing partner.Standing `json:"standing"`
}

// bookJSON is the rule book as of the period: its day of revision, and how each rule stood.
func (in *Input) bookJSON(w io.Writer) error {
	kind, cloud := partner.Kind(in.Report.Partner.Kind), partner.Cloud(in.Report.Partner.Cloud)
	rules := []bookRule{}
	for _, r := range partner.Book() {
		b := bookRule{Rule: r, Changes: []bookChange{}}
		b.Standing, b.Why = r.On(in.Report.AsOf, kind, cloud)
		for day := in.From.UTC().Truncate(24 * time.Hour); day.Before(in.To); day = day.Add(24 * time.Hour) {
			s, _ := r.On(day, kind, cloud)
			if n := len(b.Changes); n == 0 || b.Changes[n-1].Standing != s {
				b.Changes = append(b.Changes, bookChange{day.Format(time.DateOnly), s})
			}
		}
		rules = append(rules, b)
	}
	return print.JSON(w, struct {
		Schema     string              `json:"schema"`
		Revised    string              `json:"revised"`
		AsOf       time.Time           `json:"asOf"`
		Kind       partner.Kind        `json:"partnerKind"`
		Cloud      partner.Cloud       `json:"cloud"`
		Since      time.Time           `json:"since"` // sign-ins were judged from then on
		Agreement  Agreement           `json:"agreement"`
		Rules      []bookRule          `json:"rules"`
		Milestones []partner.Milestone `json:"milestones"`
	}{BookSchema, partner.Revised.String(), in.Report.AsOf, kind, cloud, in.Since.UTC(), in.Agreement, rules, partner.Milestones()})
}

// Terms are what a pack was judged by, as rules/book.json has them.
type Terms struct {
	Schema  string        `json:"schema"`
	Revised string        `json:"revised"` // of the rule book
	AsOf    time.Time     `json:"asOf"`
	Since   time.Time     `json:"since"`
	Kind    partner.Kind  `json:"partnerKind"`
	Cloud   partner.Cloud `json:"cloud"`
}

// ReadTerms reads them from rules/book.json. Kind problem.BadInput where it is no rule book
// of a pack.
func ReadTerms(r io.Reader) (*Terms, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxBeside+1))
	if err != nil || len(raw) > maxBeside {
		return nil, unreadable(err, "the rule book cannot be read, or has more than 16 MiB")
	}
	t := &Terms{}
	if err := json.Unmarshal(raw, t); err != nil || t.Schema != BookSchema {
		return nil, unreadable(err, "it is no rule book of a pack")
	}
	kind, known := partner.ParseKind(string(t.Kind))
	if cloud, ok := partner.ParseCloud(string(t.Cloud)); !ok || !known || kind != t.Kind || cloud != t.Cloud || t.AsOf.IsZero() {
		return nil, unreadable(nil, "the rule book does not say for whom, and as of when")
	}
	return t, nil
}

// practicesJSON is the report of the practices, as their room wrote it.
func (in *Input) practicesJSON(w io.Writer) error {
	return print.JSON(w, struct {
		Schema    string          `json:"schema"`
		Made      bool            `json:"made"` // false: nobody judged them
		Practices json.RawMessage `json:"practices,omitempty"`
	}{"partnerguard.pack-practices/1", len(in.Practices) > 0, in.Practices})
}

func (in *Input) exceptionsJSON(w io.Writer) error {
	return print.JSON(w, struct {
		Schema     string      `json:"schema"`
		Exceptions []Exception `json:"exceptions"`
	}{"partnerguard.pack-exceptions/1", print.List(in.Exceptions)})
}

// Beside is what was judged by beside the pages: attestations.json has the statements,
// gaps.json the lists that were not whole. Judging again reads both.
type Beside struct {
	Schema     string            `json:"schema"`
	Statements []vouch.Statement `json:"statements,omitempty"`
	Gaps       []evidence.Gap    `json:"gaps,omitempty"`
	Lacking    []evidence.Input  `json:"lacking,omitempty"`
}

func (in *Input) attestationsJSON(w io.Writer) error {
	return print.JSON(w, Beside{Schema: BesideSchema, Statements: in.Statements})
}

func (in *Input) gapsJSON(w io.Writer) error {
	return print.JSON(w, Beside{Schema: BesideSchema, Gaps: in.Gaps, Lacking: in.Lacking})
}

// maxBeside bounds what is read of such a file.
const maxBeside = 16 << 20

// ReadBeside reads attestations.json or gaps.json of a pack. Kind problem.BadInput where it
// is none; unknown members are refused.
func ReadBeside(r io.Reader) (*Beside, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxBeside+1))
	if err != nil {
		return nil, unreadable(err, "it cannot be read")
	}
	if len(raw) > maxBeside {
		return nil, unreadable(nil, "it has more than 16 MiB")
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	b := &Beside{}
	if err := d.Decode(b); err != nil {
		return nil, unreadable(err, "it is not of the form that a pack has")
	}
	if b.Schema != BesideSchema {
		return nil, unreadable(nil, "it is of the form "+print.Clean(b.Schema, 80)+", and this program knows "+BesideSchema)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, unreadable(nil, "something stands behind it")
	}
	for i := range b.Statements {
		if err := b.Statements[i].Check(); err != nil {
			return nil, err
		}
	}
	return b, nil
}
