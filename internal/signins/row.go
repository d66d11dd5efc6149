package signins

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// At says where a row lies in the archive.
type At struct {
	Segment string
	Entry   int64  // among the entries of the segment, from 0; -1 is not known
	ID      string // of the row
}

// Raw is a row as it was archived, with where it lies.
type Raw struct {
	Body     []byte    `json:"-"`    // JSON, at most [MaxRaw] bytes
	Line     int       `json:"line"` // of the page's rows, from 1
	Of       int       `json:"of"`   // rows of the page
	Resource string    `json:"resource"`
	Run      string    `json:"run"`
	Read     time.Time `json:"read"` // when it was answered
	Segment  string    `json:"segment"`
	Object   string    `json:"object"` // of the segment, in its place
	Entry    int64     `json:"entry"`
	SHA256   string    `json:"sha256"` // of the page
	Bytes    int       `json:"bytes"`
}

// MaxRaw bounds a row that is shown.
const MaxRaw = 256 << 10

// Proof is that the row's page was archived as it is. It was checked where it was made.
type Proof struct {
	File       []byte    `json:"-"`          // as partnerguard archive verify --proof takes it
	Seq        int64     `json:"seq"`        // the entry of the trail
	Checkpoint int64     `json:"checkpoint"` // entries under the signed checkpoint
	Root       string    `json:"root"`
	At         time.Time `json:"at"`
	SHA256     string    `json:"sha256"`
}

// Decision is what the settings say of the row.
type Decision struct {
	Outcome  string       `json:"outcome"`
	Reason   string       `json:"reason"`
	Place    string       `json:"place"`
	Asks     []PolicySays `json:"asks"`   // in force, and it takes the row, or perhaps
	Lets     []PolicySays `json:"lets"`   // in force, and does not take it, by which clause
	Report   []PolicySays `json:"report"` // report-only, and would take it
	Path     string       `json:"path"`   // where the same is decided with other inputs
	Settings time.Time    `json:"settings"`
}

// PolicySays is one policy and the clause that decided.
type PolicySays struct {
	ID     string `json:"id"`
	Policy string `json:"policy"`
	Clause string `json:"clause"`
	Asks   string `json:"asks"`
}

// Disagree says whether settings and log say different things: the same rule as the
// report's disagreements.
func (r *Row) Disagree(outcome string) bool {
	return r.Verdict == "not_challenged" && (outcome == "mfa_required" || outcome == "blocked")
}

func (f *Feature) rowScreen() screen.Screen {
	return screen.Screen{
		Name: "signins/row", Title: "Sign-in", Icon: "signins", Group: screen.Nowhere, See: screen.SeePeople, Over: screen.OfTenant,
		About: "One sign-in: how it was judged, what the settings say, the archived row and the proof that it was archived as it is.",
		Params: []screen.Param{{Name: "id", About: "Its id."}, {Name: "segment", About: "The segment of the archive."}, {Name: "entry",
			About: "The entry of the segment, from 0."}},
		Load:  f.loadRow,
		Files: []screen.File{{Name: "proof", About: "The proof of the row's page, as partnerguard archive verify --proof takes it.", Load: f.proofFile}},
	}
}

// atOf is where the row of an address lies.
func atOf(a *screen.Ask) (at At, err error) {
	at = At{Segment: a.Values.Get("segment"), Entry: -1, ID: a.Values.Get("id")}
	if n := a.Values.Get("entry"); n != "" {
		if at.Entry, err = strconv.ParseInt(n, 10, 64); err != nil || at.Entry < 0 {
			return at, problem.New(problem.Usage, "entry is a whole number from 0")
		}
	}
	return at, nil
}

// proofFile is the proof by itself.
func (f *Feature) proofFile(ctx context.Context, a *screen.Ask) (*screen.Download, error) {
	at, err := atOf(a)
	if err != nil {
		return nil, err
	}
	if at.Segment == "" || at.ID == "" {
		return nil, problem.New(problem.Usage, "the address has no id or no segment").WithHint("the page of the sign-in leads here")
	}
	p, err := f.Prove(ctx, a.Tenant.ID, at)
	if err != nil {
		return nil, err
	}
	return &screen.Download{Name: "signin.proof", Type: "application/json", Body: p.File}, nil
}

// loadRow is the page of one row: the same as the drawer, and the proof.
func (f *Feature) loadRow(ctx context.Context, a *screen.Ask) (*screen.View, error) {
	at, err := atOf(a)
	if err != nil {
		return nil, err
	}
	p, mark, err := f.Part(ctx, a.Tenant.ID)
	if err != nil {
		return nil, err
	}
	g := &board{Part: p, f: f, a: a}
	row := g.find(at.ID)
	if row != nil && at.Segment == "" {
		at.Segment, at.Entry = row.Segment, row.Entry
	}
	if at.ID == "" || at.Segment == "" {
		return nil, problem.New(problem.NotFound,
			"no row is kept by that id").WithHint("its address has id, segment and entry; the list of sign-ins leads to it")
	}
	v := &screen.View{Facts: g.facts(mark), Sentence: "How it was judged, what the settings say, and the archived row behind it.",
		Actions: []screen.Action{{Text: "All sign-ins", Icon: "signins", Path: screen.With("/signins", "tenant", a.Tenant.ID)}}}
	raw, rawErr := f.Raw(ctx, a.Tenant.ID, at)
	var proof *Proof
	proofErr := rawErr
	if rawErr == nil {
		proof, proofErr = f.Prove(ctx, a.Tenant.ID, at)
	}
	summary := map[string]any{"row": row, "archived": raw, "proof": proof}
	if rawErr == nil {
		if body := Redact(raw.Body); body != nil {
			summary["raw"] = json.RawMessage(body)
		}
	}
	v.Summary = summary
	if a.Machine {
		return v, rawErr
	}
	var left []screen.Block
	if row != nil {
		left = append(left, screen.Card{Head: "The sign-in", Body: []screen.Block{g.about(row)}},
			screen.Card{Head: "How it was judged", Body: []screen.Block{judged(row)}}, screen.Card{Head: "By the settings", Body: g.settings(ctx, row)})
	} else {
		v.Notices = append(v.Notices, screen.Notice{Tone: print.Muted, Lead: "Not kept.",
			Text: "This row is not among those that the list has; here is the archived row itself."})
	}
	right := []screen.Block{screen.Card{Head: "Raw row", Body: rawBlocks(raw, rawErr)}, screen.Card{Head: "Proof", ID: "proof",
		Body: proofBlocks(proof, proofErr, a, at)}}
	if left == nil {
		v.Above = right
	} else {
		v.Above = []screen.Block{screen.Side{Shape: "g2", List: []screen.Block{stack(left), stack(right)}}}
	}
	return v, nil
}

func stack(list []screen.Block) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Class("div", "stack")
		for _, x := range list {
			x.Build(b)
		}
		b.End("div")
	})
}

func (g *board) find(key string) *Row {
	for _, rows := range [][]Row{g.rows, g.Rows} {
		for i := range rows {
			if rows[i].Key() == key {
				return &rows[i]
			}
		}
	}
	return nil
}

// drawer is what stands beside the list of an opened row.
func (g *board) drawer(ctx context.Context) []screen.Block {
	r := g.find(g.a.Query.Row)
	if r == nil {
		return []screen.Block{screen.Card{Head: "This row is not in the list", Body: []screen.Block{
			screen.Para{Text: "It is older than what is kept. Choose its hour in the chart and read it from the archive."}}}}
	}
	at := At{r.Segment, r.Entry, r.ID}
	raw, err := g.f.Raw(ctx, g.a.Tenant.ID, at)
	s := saidOf(r)
	d := screen.Drawer{Head: "Sign-in of " + screen.Moment(r.At, g.a.Now), Said: &s, Body: []screen.Section{
		{Body: []screen.Block{g.about(r)}}, {Head: "How it was judged", Body: []screen.Block{judged(r)}},
		{Head: "By the settings", Body: g.settings(ctx, r)}, {Head: "Raw row", Body: rawBlocks(raw, err)},
	}}
	if r.Segment != "" {
		d.Body = append(d.Body, screen.Section{Body: []screen.Block{screen.Func(func(b *screen.Builder) {
			b.Elem("a", "This sign-in with its proof", screen.A("class", "btn"), screen.A("href", g.rowPath(r)+"#proof"))
		})}})
	}
	return []screen.Block{d}
}

func (g *board) rowPath(r *Row) string {
	return screen.With("/signins/row", "tenant", g.a.Tenant.ID, "id", r.ID, "segment", r.Segment, "entry", strconv.FormatInt(max(0, r.Entry), 10))
}

// about says whose sign-in it was, to what, with what and from where.
func (g *board) about(r *Row) screen.Block {
	account := screen.Cell{Text: print.Clean(cmp.Or(r.User, r.UserID, "not named"), 200)}
	if r.UserID != "" {
		account.Path = screen.With("/people", "tenant", g.a.Tenant.ID, "q", r.User, "row", strings.ToLower(g.a.Tenant.ID+"/"+r.UserID))
	}
	from := screen.Cell{Text: print.Clean(r.IP, 60), Mono: true, Sub: print.Clean(strings.Join(filled(r.Country, r.Place), " · "), 160), Never: "not said"}
	p := screen.Pairs{{Key: "Account", Cell: account}, {Key: "App", Cell: screen.Cell{Text: print.Clean(cmp.Or(r.App, r.AppID, "not named"), 200)}}}
	if r.Resource != "" && r.Resource != r.App {
		p = append(p, screen.Pair{Key: "Resource", Cell: screen.Words(print.Clean(r.Resource, 200))})
	}
	p = append(p, screen.Pair{Key: "Client", Cell: screen.Words(print.Clean(strings.Join(filled(r.Client, r.Platform, protocolWord(r)), ", "), 200))},
		screen.Pair{Key: "From", Cell: from})
	if r.Risk != "" && r.Risk != "none" {
		p = append(p, screen.Pair{Key: "Risk", Cell: screen.Words(print.Clean(r.Risk, 40))})
	}
	result := "did not succeed"
	if r.Success {
		result = "succeeded"
	}
	return append(p, screen.Pair{Key: "Result", Cell: screen.Words(result)}, screen.Pair{Key: "When", Cell: screen.Cell{At: r.At,
		Never: "its clock is unreadable"}})
}

// step is one of a trace.
type step struct {
	tone print.Tone
	word string // of the tone, for who does not see it
	lead string
	text string
}

// trace writes steps as the sheet has them.
func trace(list []step) screen.Block {
	return screen.Func(func(b *screen.Builder) {
		b.Class("ol", "trace")
		for _, s := range list {
			b.Open("li", screen.A("class", s.tone.Class))
			b.Icon(screen.Mark(s.tone))
			b.Elem("b", s.lead)
			b.Open("span")
			b.Elem("span", s.word+" ", screen.A("class", "vh"))
			b.Text(s.text)
			b.End("span")
			b.End("li")
		}
		b.End("ol")
	})
}

// judged is the judgement in steps.
func judged(r *Row) screen.Block {
	var list []step
	add := func(t print.Tone, word, text string) {
		list = append(list, step{t, word, strconv.Itoa(len(list) + 1), print.Ended(text)})
	}
	switch {
	case r.Success:
		add(print.Good, "holds", "a sign-in of a user, and it succeeded")
	case r.Verdict == "unknown":
		add(print.Doubt, "unknown", "a sign-in of a user; whether it succeeded is not said")
	default:
		add(print.Muted, "holds", "a sign-in of a user, and it did not succeed")
	}
	switch {
	case r.ROPC:
		add(print.Muted, "holds", "it used the password grant")
	case r.Legacy:
		add(print.Muted, "holds", "its client, "+r.Client+", speaks a legacy protocol")
	}
	if r.Policy != "" {
		add(print.Muted, "holds", "Conditional Access said of it: "+print.Clean(r.Policy, 60))
	}
	s := saidOf(r)
	add(s.Tone, s.Word, r.Said+": "+s.Word)
	return trace(list)
}

// settings is what the settings say, beside the log.
func (g *board) settings(ctx context.Context, r *Row) []screen.Block {
	d, err := g.f.Decide(ctx, g.a.Tenant.ID, r)
	if err != nil {
		return []screen.Block{screen.Para{Text: sorry(err), Class: "note"}}
	}
	var list screen.Items
	add := func(tone print.Tone, word string, p *PolicySays, text string) {
		it := screen.Item{Said: &page.Said{Tone: tone, Word: word}, Lead: print.Clean(p.Policy, 80), Text: print.Clean(text, 300)}
		if p.ID != "" {
			it.Path = screen.With("/coverage", "tenant", g.a.Tenant.ID, "row", p.ID)
		}
		list.List = append(list.List, it)
	}
	for _, p := range d.Asks {
		add(print.Good, "takes it", &p, "takes it and asks for "+p.Asks)
	}
	for i, p := range d.Lets {
		if i == 3 {
			add(print.Muted, "does not take it", &PolicySays{Policy: fmt.Sprintf("%d more", len(d.Lets)-i)}, "do not take it")
			break
		}
		tone := print.Muted
		if len(d.Asks) == 0 && strings.HasPrefix(p.Clause, "excludes") {
			tone = print.Bad
		}
		add(tone, "does not take it", &p, p.Clause)
	}
	for _, p := range d.Report {
		add(print.Muted, "report-only", &p, "is report-only; it would ask for "+p.Asks)
	}
	list.Empty = "No policy is in force or report-only."
	out := []screen.Block{list, screen.Para{Text: print.Ended(print.Clean(d.Reason, 500)), Class: "note"}}
	agree := screen.Notice{Tone: print.Good, Lead: "Settings and log agree."}
	switch {
	case d.Outcome == "undecided":
		agree = screen.Notice{Tone: print.Doubt, Lead: "The settings do not decide it.", Text: "What is not known of it decides."}
	case r.Disagree(d.Outcome):
		agree = screen.Notice{Tone: print.Bad, Lead: "Settings and log disagree.",
			Text: "The settings of now ask for MFA or block it, and it succeeded without: either they were " +
				"changed since, or they are not what they seem."}
	case r.Verdict != "not_challenged" && d.Outcome == "mfa_not_required" && r.Success:
		agree = screen.Notice{Tone: print.Muted, Lead: "No contradiction.", Text: "It had MFA, and no setting of now asks for it."}
	}
	out = append(out, agree)
	if d.Path != "" {
		out = append(out, screen.Func(func(b *screen.Builder) {
			b.Open("p", screen.A("class", "note"))
			b.Elem("a", "Decide with other inputs", screen.A("href", d.Path))
			if r.Cell != "" {
				b.Text(" · ")
				b.Elem("a", "Its cell in the matrix", screen.A("href", screen.With("/coverage", "tenant", g.a.Tenant.ID, "cell", r.Cell)+"#why"))
			}
			b.End("p")
		}))
	}
	return out
}

// deciding are the members of a row that a judgement rests on: they are marked.
var deciding = []string{"authenticationRequirement", "conditionalAccessStatus", "authenticationDetails", "authenticationMethodsUsed", "clientAppUsed",
	"authenticationProtocol", "status", "mfaDetail", "authenticationRequirementPolicies", "crossTenantAccessType"}

// rawBlocks show the archived row: its members, those that decide first, and where it lies.
func rawBlocks(raw *Raw, err error) []screen.Block {
	if err != nil {
		return []screen.Block{screen.Para{Text: sorry(err), Class: "note"}}
	}
	members := membersOf(raw.Body)
	out := []screen.Block{screen.Func(func(b *screen.Builder) {
		b.Open("pre", screen.A("class", "code wrap"), screen.A("tabindex", "0"))
		for i, m := range members {
			if i == 60 {
				b.Elem("span", fmt.Sprintf("… %d more members", len(members)-i), screen.A("class", "l q"))
				break
			}
			b.Open("span", screen.A("class", "l"))
			if m.decides {
				b.Elem("mark", m.name+": "+m.value)
			} else {
				b.Elem("span", m.name, screen.A("class", "k"))
				b.Text(": " + m.value)
			}
			b.End("span")
		}
		b.End("pre")
	})}
	return append(out, screen.Pairs{
		{Key: "Segment", Cell: screen.Cell{Text: raw.Segment, Mono: true}, From: raw.Object},
		{Key: "Entry", Cell: screen.Words(fmt.Sprintf("%d, row %d of %d", raw.Entry, raw.Line, raw.Of))},
		{Key: "SHA-256", Cell: screen.Cell{Text: raw.SHA256, Mono: true}, From: "of the page, " + print.Plural(int64(raw.Bytes), "bytes")},
		{Key: "Read", Cell: screen.Cell{At: raw.Read}, From: raw.Resource + ", run " + raw.Run},
	})
}

// proofBlocks show the proof that was made and checked.
func proofBlocks(p *Proof, err error, a *screen.Ask, at At) []screen.Block {
	if err != nil {
		tone := print.Doubt
		said := page.Said{Tone: tone, Word: "not proved"}
		if errors.Is(err, problem.Unmet) || errors.Is(err, problem.BadInput) {
			said = page.Said{Tone: print.Bad, Word: "the proof does not hold"}
		}
		return []screen.Block{screen.Func(func(b *screen.Builder) { b.Said(said, false) }), screen.Para{Text: sorry(err)}}
	}
	return []screen.Block{
		screen.Func(func(b *screen.Builder) { b.Said(page.Said{Tone: print.Good, Word: "verified just now"}, false) }),
		screen.Para{Text: "The page that holds this row hashes up to the root of its segment, which an entry of the audit trail kept, under a checkpoint " +
			"that this " +
			"installation signed. Whoever has the key of the checkpoints can check it without us.", Class: "note"},
		screen.Pairs{
			{Key: "Trail", Cell: screen.Words("entry " + print.Number(p.Seq))},
			{Key: "Checkpoint", Cell: screen.Words("over " + print.Plural(p.Checkpoint, "entries")), From: p.Root},
			{Key: "Page", Cell: screen.Cell{Text: p.SHA256, Mono: true}, From: "SHA-256"},
		},
		screen.Func(func(b *screen.Builder) {
			b.Open("p")
			b.Elem("a", "Download the proof", screen.A("class", "btn"), screen.A("href", ProofPath(a.Tenant.ID, at)), screen.A("download", "signin.proof"))
			b.End("p")
			b.Elem("p", "partnerguard archive verify --proof signin.proof --key KEY checks it anywhere; partnerguard trail key prints the key. "+
				"The page is in the proof, in full.",
				screen.A("class", "note"))
		}),
	}
}

// ProofPath is where the proof of a row is fetched.
func ProofPath(tenant string, at At) string {
	return screen.With("/signins/row/proof", "tenant", tenant, "id", at.ID, "segment", at.Segment, "entry", strconv.FormatInt(max(0, at.Entry), 10))
}
