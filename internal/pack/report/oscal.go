package report

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/assess"
	"partnerguard/internal/pattern"
	"partnerguard/internal/print"
)

// oscalVersion is the version of OSCAL that is written.
const oscalVersion = "1.2.1"

// oscalNS is the namespace of our properties.
const oscalNS = "https://partnerguard.dev/ns/oscal"

type oscalProp struct {
	Name    string `json:"name"`
	NS      string `json:"ns"`
	Value   string `json:"value"`
	Remarks string `json:"remarks,omitempty"`
}

type oscalResource struct {
	UUID   string      `json:"uuid"`
	Title  string      `json:"title"`
	RLinks []oscalHref `json:"rlinks"`
}

type oscalHref struct {
	Href      string `json:"href"`
	MediaType string `json:"media-type,omitempty"`
}

type oscalParty struct {
	UUID string `json:"uuid"`
	Type string `json:"type"`
	Name string `json:"name,omitempty"`
}

type oscalComponent struct {
	UUID        string      `json:"uuid"`
	Type        string      `json:"type"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Props       []oscalProp `json:"props,omitempty"`
	Status      oscalState  `json:"status"`
}

type oscalState struct {
	State  string `json:"state"`
	Reason string `json:"reason,omitempty"`
}

type oscalActor struct {
	Type string `json:"type"`
	UUID string `json:"actor-uuid"`
}

type oscalOrigin struct {
	Actors []oscalActor `json:"actors"`
}

type oscalEvidence struct {
	Href        string `json:"href"`
	Description string `json:"description"`
}

type oscalSubject struct {
	UUID string `json:"subject-uuid"`
	Type string `json:"type"`
}

type oscalObservation struct {
	UUID        string          `json:"uuid"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Props       []oscalProp     `json:"props,omitempty"`
	Methods     []string        `json:"methods"`
	Types       []string        `json:"types,omitempty"`
	Origins     []oscalOrigin   `json:"origins"`
	Subjects    []oscalSubject  `json:"subjects,omitempty"`
	Evidence    []oscalEvidence `json:"relevant-evidence,omitempty"`
	Collected   string          `json:"collected"`
}

type oscalTarget struct {
	Type   string      `json:"type"`
	ID     string      `json:"target-id"`
	Title  string      `json:"title"`
	Props  []oscalProp `json:"props"`
	Status oscalState  `json:"status"`
}

type oscalRelated struct {
	UUID string `json:"observation-uuid"`
}

type oscalFinding struct {
	UUID        string         `json:"uuid"`
	Title       string         `json:"title"`
	Description string         `json:"description"`
	Props       []oscalProp    `json:"props"`
	Origins     []oscalOrigin  `json:"origins"`
	Target      oscalTarget    `json:"target"`
	Related     []oscalRelated `json:"related-observations,omitempty"`
	Remarks     string         `json:"remarks,omitempty"`
}

type oscalSelection struct {
	Description string         `json:"description"`
	All         *struct{}      `json:"include-all,omitempty"`
	Include     []oscalControl `json:"include-controls,omitempty"`
}

type oscalControl struct {
	ID string `json:"control-id"`
}

type oscalReviewed struct {
	Description string           `json:"description"`
	Selections  []oscalSelection `json:"control-selections"`
}

type oscalResult struct {
	UUID        string      `json:"uuid"`
	Title       string      `json:"title"`
	Description string      `json:"description"`
	Start       string      `json:"start"`
	End         string      `json:"end"`
	Props       []oscalProp `json:"props"`
	Local       struct {
		Components []oscalComponent `json:"components"`
	} `json:"local-definitions"`
	Reviewed     oscalReviewed      `json:"reviewed-controls"`
	Attestations []oscalAttestation `json:"attestations,omitempty"`
	Observations []oscalObservation `json:"observations,omitempty"`
	Findings     []oscalFinding     `json:"findings,omitempty"`
	Remarks      string             `json:"remarks,omitempty"`
}

type oscalAttestation struct {
	Parts []oscalPart `json:"parts"`
}

type oscalPart struct {
	UUID  string      `json:"uuid"`
	Name  string      `json:"name"`
	NS    string      `json:"ns"`
	Title string      `json:"title"`
	Props []oscalProp `json:"props,omitempty"`
	Prose string      `json:"prose"`
}

type oscalDocument struct {
	UUID     string `json:"uuid"`
	Metadata struct {
		Title        string       `json:"title"`
		LastModified string       `json:"last-modified"`
		Version      string       `json:"version"`
		OSCAL        string       `json:"oscal-version"`
		Props        []oscalProp  `json:"props"`
		Parties      []oscalParty `json:"parties"`
		Remarks      string       `json:"remarks,omitempty"`
	} `json:"metadata"`
	ImportAP struct {
		Href    string `json:"href"`
		Remarks string `json:"remarks"`
	} `json:"import-ap"`
	Results    []oscalResult `json:"results"`
	BackMatter struct {
		Resources []oscalResource `json:"resources"`
	} `json:"back-matter"`
}

// prop is a property of ours; OSCAL takes no empty value and none with a line break.
func prop(name, value string) oscalProp {
	return oscalProp{Name: name, NS: oscalNS, Value: oneLine(value)}
}

var blanks = pattern.Later(`\s+`)

// oneLine is a text as OSCAL takes a string: not empty, no space at its ends.
func oneLine(s string) string {
	s = strings.TrimSpace(blanks.ReplaceAllString(print.Clean(s, 4096), " "))
	if s == "" {
		return "none"
	}
	return s
}

// oscalTime is a moment as OSCAL takes one: of the years 1900 to 2999. Another, which no
// evidence of ours is of, stands as the beginning of Unix time.
func oscalTime(t time.Time) string {
	if y := t.UTC().Year(); y < 1900 || y > 2999 {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format(time.RFC3339Nano)
}

var tokenForm = pattern.Later(`^[\p{L}_][\p{L}\p{N}.\-_]*$`)

// tokenOf is an id as OSCAL takes one. Those of the rule book are such; another stands as
// its digest.
func tokenOf(id string) string {
	if tokenForm.MatchString(id) && len(id) < 200 {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "id-" + hex.EncodeToString(sum[:8])
}

// oscalJSON writes OSCAL assessment results: a finding a requirement, an observation a thing
// that decided it, each with where in the pack that lies.
func (in *Input) oscalJSON(w io.Writer) error {
	var d oscalDocument
	d.UUID = in.id("oscal")
	m := &d.Metadata
	m.Title = "Partner security requirements of " + in.subject()
	m.LastModified, m.Version, m.OSCAL = oscalTime(in.Made), in.Name, oscalVersion
	m.Props = []oscalProp{prop("pack", in.Name), prop("reader", string(in.Reader)), prop("rule-book", in.Report.RuleBook),
		prop("agreement", in.Agreement.Edition), prop("evidence", in.Evidence), prop("redacted", strings.Join(in.Redacted, " "))}
	if c := in.Checkpoint; c.Size > 0 {
		m.Props = append(m.Props, prop("checkpoint-origin", c.Origin), prop("checkpoint-size", strconv.FormatInt(c.Size, 10)), prop("checkpoint-root", c.Root))
	}
	m.Parties = []oscalParty{{UUID: in.id("party", in.Tenant), Type: "organization", Name: oneLine(in.subject())}}
	m.Remarks = strings.Join(in.told(), " ")
	book := in.id("resource", "rules/book.json")
	d.ImportAP.Href = "#" + book
	d.ImportAP.Remarks = "There is no plan apart from the rule book: it says what is looked at, by what evidence, and how old that may be."
	d.BackMatter.Resources = []oscalResource{
		{UUID: book, Title: "The rule book as of the period", RLinks: []oscalHref{{Href: "../rules/book.json", MediaType: "application/json"}}},
		{UUID: in.id("resource", "report.json"), Title: "The report", RLinks: []oscalHref{{Href: "../report.json", MediaType: "application/json"}}},
		{UUID: in.id("resource", "pack.json"), Title: "What the pack holds, with the SHA-256 of each entry",
			RLinks: []oscalHref{{Href: "../pack.json", MediaType: "application/json"}}},
	}
	d.Results = []oscalResult{in.oscalResult()}
	return print.JSON(w, struct {
		D oscalDocument `json:"assessment-results"`
	}{d})
}

// subject is the tenant in words.
func (in *Input) subject() string {
	switch {
	case in.Title != "":
		return print.Clean(in.Title, print.MaxName)
	case in.Report.Partner.DisplayName != "":
		return print.Clean(in.Report.Partner.DisplayName, print.MaxName)
	case in.Tenant != "":
		return "tenant " + in.Tenant
	}
	return "the tenant"
}

func (in *Input) oscalResult() oscalResult {
	r := in.Report
	tool, tenant := in.id("tool"), in.id("tenant", in.Tenant)
	out := oscalResult{UUID: in.id("result"), Title: "Verdicts as of " + print.When(r.AsOf), Start: oscalTime(in.From), End: oscalTime(in.To)}
	out.Description = fmt.Sprintf("Each requirement of the rule book of %s, judged from the evidence of the period by its date.", r.RuleBook)
	out.Props = []oscalProp{prop("complete", strconv.FormatBool(r.Complete)), prop("partner-kind", r.Partner.Kind), prop("cloud", r.Partner.Cloud)}
	out.Remarks = print.Clean(strings.Join(r.Incomplete, ". "), 1<<16)
	out.Local.Components = []oscalComponent{
		{UUID: tool, Type: "software", Title: oneLine(in.Tool), Description: "The program that judged.", Status: oscalState{State: "operational"}},
		{UUID: tenant, Type: "service", Title: oneLine(in.subject()), Description: "The Microsoft Entra tenant that was judged.",
			Props: []oscalProp{prop("tenant-id", in.Tenant)}, Status: oscalState{State: "operational"}},
	}
	by := []oscalOrigin{{Actors: []oscalActor{{Type: "tool", UUID: tool}}}}
	sel := oscalSelection{Description: "Every requirement that is told to this reader; what does not apply has no finding."}
	out.Reviewed.Description = "The requirements of the Microsoft partner programme and what goes with them."
	for i := range r.Requirements {
		q := &r.Requirements[i]
		sel.Include = append(sel.Include, oscalControl{ID: tokenOf(q.ID)})
		if q.Verdict == assess.NotApplicable {
			continue
		}
		f := in.oscalFinding(q, by)
		for n := range q.Evidence {
			o := in.oscalObserved(q, n, by)
			o.Subjects = []oscalSubject{{UUID: tenant, Type: "component"}}
			out.Observations = append(out.Observations, o)
			f.Related = append(f.Related, oscalRelated{o.UUID})
		}
		out.Findings = append(out.Findings, f)
	}
	if len(sel.Include) == 0 { // OSCAL wants a selection
		sel.All = &struct{}{}
	}
	out.Reviewed.Selections = []oscalSelection{sel}
	for i := range r.Attestations {
		out.Attestations = append(out.Attestations, in.oscalStatement(i, &r.Attestations[i]))
	}
	return out
}

// oscalFinding is a requirement. OSCAL knows satisfied and not satisfied alone: what is not
// known is not satisfied there, with the reason unknown; what somebody vouches for is satisfied with
// the reason attested, and by whom until when. The property verdict has the report's word.
func (in *Input) oscalFinding(q *assess.Requirement, by []oscalOrigin) oscalFinding {
	f := oscalFinding{UUID: in.id("finding", q.ID), Title: oneLine(q.Title), Description: oneLine(q.Reason), Origins: by,
		Remarks: print.Clean(q.Action, print.MaxSaying)}
	f.Props = []oscalProp{prop("verdict", string(q.Verdict)), prop("level", q.Level), prop("binding", q.Binding)}
	if q.Total > 0 {
		f.Props = append(f.Props, prop("affected", strconv.Itoa(q.Affected)), prop("total", strconv.Itoa(q.Total)), prop("unit", q.Unit))
	}
	if q.More > 0 {
		f.Props = append(f.Props, prop("evidence-not-listed", strconv.Itoa(q.More)))
	}
	if q.Age.Text != "" {
		f.Props = append(f.Props, prop("evidence-age", q.Age.Text))
	}
	state := oscalState{State: "not-satisfied"}
	switch q.Verdict {
	case assess.Met:
		state = oscalState{"satisfied", "pass"}
	case assess.NotMet:
		state.Reason = "fail"
	case assess.Attested:
		state = oscalState{"satisfied", "attested"}
		f.Props = append(f.Props, prop("attested-by", q.AttestedBy), prop("attested-until", q.AttestedUntil))
	default:
		state.Reason = "unknown"
	}
	f.Target = oscalTarget{Type: "objective-id", ID: tokenOf(q.ID), Title: oneLine(q.Title), Status: state, Props: []oscalProp{prop("source", q.Source)}}
	return f
}

// indexEntry is the entry of a pack that says where each page of the evidence is.
const indexEntry = "evidence/index.jsonl"

// where is the entry of the pack that a thing stands in: its page, or, where only its file
// is known, the index of the pages; "" where no page is in the pack or it was read elsewhere.
func (in *Input) where(e *assess.Evidence) string {
	file := FileOf(e.Source.Path)
	if in.Where == nil || file == "" {
		return ""
	}
	if entry, ok := in.Where(file, e.Source.Line); ok {
		return entry
	}
	return indexEntry
}

// FileOf is the file of the evidence that a source names: what stands behind the archive's
// or the sample's name.
func FileOf(path string) string {
	for _, of := range []string{"archive:", "sample:"} {
		if rest, ok := strings.CutPrefix(path, of); ok {
			if of == "archive:" {
				_, rest, _ = strings.Cut(rest, "/")
			}
			return strings.TrimPrefix(rest, "/")
		}
	}
	return ""
}

func (in *Input) oscalObserved(q *assess.Requirement, n int, by []oscalOrigin) oscalObservation {
	e := &q.Evidence[n]
	o := oscalObservation{UUID: in.id("observation", q.ID, strconv.Itoa(n)), Title: oneLine(e.Subject), Description: oneLine(e.Detail),
		Methods: []string{"EXAMINE"}, Types: []string{"finding"}, Origins: by, Collected: oscalTime(in.Report.AsOf)}
	if e.Observed != nil {
		o.Collected = oscalTime(*e.Observed)
	}
	if e.RecordID != "" {
		o.Props = append(o.Props, prop("record-id", e.RecordID))
	}
	if s := e.Source.String(); s != "" {
		o.Props = append(o.Props, prop("source", s))
	}
	if entry := in.where(e); entry != "" {
		said := "Microsoft's answer as it was kept, that it stands in."
		if entry == indexEntry {
			said = "Where Microsoft's answers are that the file " + print.Clean(FileOf(e.Source.Path), print.MaxName) + " is made of."
		}
		o.Evidence = []oscalEvidence{{Href: "../" + entry, Description: said}}
	}
	return o
}

func (in *Input) oscalStatement(n int, v *assess.Vouch) oscalAttestation {
	name, id := "attestation", in.id("statement", strconv.Itoa(n))
	if v.Kind == "exception" {
		name = "exception"
	}
	p := oscalPart{UUID: id, Name: name, NS: oscalNS, Title: oneLine(print.First("statement", v.Requirement, v.What)), Prose: oneLine(v.Reason)}
	p.Props = []oscalProp{prop("who", v.Who), prop("since", v.Since), prop("until", v.Until), prop("state", v.State), prop("effect", v.Effect)}
	if v.Account != "" {
		p.Props = append(p.Props, prop("account", v.Account))
	}
	return oscalAttestation{Parts: []oscalPart{p}}
}
