package access

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// CellState says how the sign-ins of one cell of a [Matrix] are protected: the
// weakest of them counts.
type CellState string

// The states, the best first.
const (
	CellBlocked   CellState = "blocked"   // none of them succeeds
	CellResistant CellState = "resistant" // phishing-resistant MFA is asked for, or they are blocked
	CellAsked     CellState = "asked"     // MFA is asked for, or they are blocked
	CellUnknown   CellState = "unknown"   // what is not known decides it
	CellOpen      CellState = "open"      // some of them surely succeed without MFA
)

// MatrixCell is what the settings say of the sign-ins of a class of accounts in a
// column.
type MatrixCell struct {
	State CellState `json:"state"`
	// Partly says of an open cell that not all of its sign-ins are open.
	Partly bool `json:"partly,omitempty"`
	// ReportOnly says of an open cell that the report-only policies would close it
	// if they were on.
	ReportOnly bool `json:"reportOnly,omitempty"`
}

// MatrixWho is a set of accounts that no policy in force or report-only tells apart.
type MatrixWho struct {
	Key      string   // the same for as long as the same policies take it
	Name     string   // in people's words
	Personal bool     // Name holds an account's name
	Traits   []string // what the policies know it by
	Accounts []int    // of [Tenant.Users], each once
	StandsIn bool     // it only stands for accounts that are not in the export
	// Active says that it is these accounts with eligible roles active.
	Active     bool
	BreakGlass bool // all of them are break-glass accounts
	Foreign    bool // users of other tenants: not counted
	cohort     cohort
	about      tri
}

// MatrixSide is a set of places or of clients that no policy tells apart.
type MatrixSide struct {
	Key    string
	Name   string
	Values []string // what is in it, as a decision names it
	// Sample is one of the clients as [SignIn] takes it.
	Sample  string
	classes []int
}

// Matrix answers for all sign-ins at once, by who, where and with which client. It
// is for one goroutine.
type Matrix struct {
	Who     []MatrixWho
	Places  []MatrixSide
	Clients []MatrixSide
	// Cells are by Who, then by place and client: see [Matrix.Column].
	Cells    [][]MatrixCell
	Policies []MatrixPolicy
	// More are classes of accounts and places past the bounds, which were not looked at.
	MoreWho, MorePlaces int
	// Lack says why there may be further policies: an open cell may be closed then
	// and is given as unknown.
	Lack []string

	e      *Engine
	budget int
	asked  *probe
	answer map[int]*diagram
	whoOf  []int32 // by subject; -1 is none
	sideOf [2][]int32
}

// MatrixPolicy is what one policy does in the matrix. Cells of users of other tenants
// are not counted.
type MatrixPolicy struct {
	ID, Name string
	State    State
	Asks     string // of whom it takes
	Misread  string // what of it is not understood; it is then no protection
	Takes    int    // cells of which it takes some sign-in
	Alone    int    // cells that would have an open sign-in without it; -1 was not counted
	Closes   int    // of a report-only policy: open cells that it would close if it were on
}

// MatrixBounds bound a matrix; what is zero is the default.
type MatrixBounds struct {
	Who, Places int // 400 and 60
	Diagrams    int // looked at for what each policy does alone: 6,000
}

// Column is the index of a place and a client among the cells of a class.
func (m *Matrix) Column(place, client int) int { return place*len(m.Clients) + client }

// Columns is how many there are.
func (m *Matrix) Columns() int { return len(m.Places) * len(m.Clients) }

// Side is the inverse of Column.
func (m *Matrix) Side(column int) (place, client int) {
	return column / len(m.Clients), column % len(m.Clients)
}

// Matrix computes the matrix of the question whether every sign-in needs MFA.
func (e *Engine) Matrix(b MatrixBounds) (*Matrix, error) {
	for _, d := range []struct {
		of *int
		is int
	}{{&b.Who, 400}, {&b.Places, 60}, {&b.Diagrams, 6000}} {
		if *d.of == 0 {
			*d.of = d.is
		}
	}
	m := &Matrix{e: e, budget: b.Diagrams, Lack: e.tenant.PoliciesLack, answer: map[int]*diagram{}}
	relevant := e.mask()
	relevant.add(e.enforced)
	relevant.add(e.reportOnly)
	relevant.add(e.unsupported)
	if err := m.whos(relevant); err != nil {
		return nil, err
	}
	m.clients(relevant)
	m.places(relevant)
	if n := len(m.Places) - b.Places; n > 0 {
		m.Places, m.MorePlaces = m.Places[:b.Places], n
	}
	if n := len(m.Who) - b.Who; n > 0 {
		m.Who, m.MoreWho = m.Who[:b.Who], n
	}
	return m, m.fill()
}

// everybody asks about all accounts, users of other tenants too.
var everybody = []string{"member", "guest", string(ServiceProvider)}

// probe is a question about every cell: who protects, and the worlds of each class.
type probe struct {
	c      *compiledQuestion
	worlds [][]mask
	never  []bool // of a class that may be asked about: in no way it is
}

// probe makes one; alter may change what protects.
func (m *Matrix) probe(require Protection, alter func(*compiledQuestion)) (*probe, error) {
	c, err := m.e.compile(Question{Name: "matrix", Require: require, External: everybody})
	if err != nil {
		return nil, err
	}
	if alter != nil {
		alter(c)
	}
	p := &probe{c: c, worlds: make([][]mask, len(m.Who)), never: make([]bool, len(m.Who))}
	for i := range m.Who {
		w := &m.Who[i]
		if s := int(w.cohort.subjects[0]); len(m.e.user(s).worlds) > 0 {
			_, p.worlds[i] = m.e.protected(c, s, w.about, nil)
			p.never[i] = w.about == maybe && len(p.worlds[i]) == 0
		}
	}
	return p, nil
}

// at is the question about one column alone.
func (m *Matrix) at(p *probe, column int) *compiledQuestion {
	place, client := m.Side(column)
	c := *p.c
	c.classes = slices.Clone(c.classes)
	c.classes[dimLocation], c.classes[dimClient] = m.Places[place].classes, m.Clients[client].classes
	return &c
}

// open reports that a diagram leaves something of a class open, and that it leaves
// all of it open.
func (m *Matrix) open(p *probe, d *diagram, who int) (some, all bool) {
	co := m.Who[who].cohort
	if co.worlds = p.worlds[who]; p.never[who] {
		return false, false
	}
	roots := d.roots(&co)
	return len(roots) > 0, len(roots) > 0 && !slices.ContainsFunc(roots, func(n int32) bool { return n != leafOpen })
}

// fill decides every cell, column by column.
func (m *Matrix) fill() error {
	var probes [4]*probe
	for i, req := range []Protection{RequireMFA, RequirePhishing, RequireBlock, RequireMFA} {
		var alter func(*compiledQuestion)
		if i == 3 {
			alter = func(c *compiledQuestion) { m.e.reportOnly.each(func(k int) { m.turnOn(c, k) }) }
		}
		var err error
		if probes[i], err = m.probe(req, alter); err != nil {
			return err
		}
	}
	m.asked = probes[0]
	m.Cells = make([][]MatrixCell, len(m.Who))
	for i := range m.Cells {
		m.Cells[i] = make([]MatrixCell, m.Columns())
	}
	for col := range m.Columns() {
		certain := m.certain(col)
		var later [4]*diagram // of each probe, counting sure matches alone
		holds := func(i, who int) bool {
			if later[i] == nil {
				later[i] = newDiagram(m.e, m.at(probes[i], col), true)
			}
			some, _ := m.open(probes[i], later[i], who)
			return !some && !later[i].over
		}
		for who := range m.Who {
			x := &m.Cells[who][col]
			some, all := m.open(m.asked, certain, who)
			switch {
			case some && !certain.over && len(m.Lack) == 0:
				*x = MatrixCell{State: CellOpen, Partly: !all, ReportOnly: holds(3, who)}
			case some || !holds(0, who):
				x.State = CellUnknown
			case holds(2, who):
				x.State = CellBlocked
			case holds(1, who):
				x.State = CellResistant
			default:
				x.State = CellAsked
			}
		}
	}
	return m.policies()
}

// certain is the diagram of what is surely open in a column.
func (m *Matrix) certain(col int) *diagram {
	if m.answer[col] == nil {
		m.answer[col] = newDiagram(m.e, m.at(m.asked, col), false)
	}
	return m.answer[col]
}

// turnOn lets a report-only policy protect, where what it asks for does.
func (m *Matrix) turnOn(c *compiledQuestion, i int) {
	if d := &m.e.demands[i]; d.block || d.refuses || d.mfa && !d.or[altAnything] {
		c.protects.set(i)
		if !d.block && !d.refuses && d.mfaUnknown {
			c.perhaps.set(i)
		}
	}
}

// policies count what each policy does.
func (m *Matrix) policies() error {
	e := m.e
	for i, p := range e.policies {
		if e.origin[i] != i || p.Conditions.Workload || !p.MayBeEnforced() && !p.ReportOnly() {
			continue
		}
		var copies []int
		for k := i; k < len(e.policies) && e.origin[k] == i; k++ {
			copies = append(copies, k)
		}
		use := MatrixPolicy{ID: p.ID, Name: p.DisplayName, State: p.State, Asks: grantText(p, &e.demands[i])}
		if e.unsupported.has(i) {
			use.Misread = p.misread()
		}
		only := p.ReportOnly()
		pr, err := m.probe(RequireMFA, func(c *compiledQuestion) {
			for _, k := range copies {
				if only {
					m.turnOn(c, k)
				} else {
					c.protects[k/64] &^= 1 << (k % 64)
				}
			}
		})
		if err != nil {
			return err
		}
		matters := !slices.Equal(pr.c.protects, m.asked.c.protects)
		for col := range m.Columns() {
			m.policyAt(&use, pr, copies, col, only, matters)
		}
		m.Policies = append(m.Policies, use)
	}
	return nil
}

// policyAt counts what a policy does in one column.
func (m *Matrix) policyAt(use *MatrixPolicy, p *probe, copies []int, col int, only, matters bool) {
	place, client := m.Side(col)
	var d *diagram
	for who := range m.Who {
		if m.Who[who].Foreign || !m.takes(copies, who, place, client) {
			continue
		}
		use.Takes++
		x := m.Cells[who][col]
		if !matters || only && x.State != CellOpen || !only && (x.State == CellOpen || x.State == CellUnknown) {
			continue
		}
		if d == nil {
			if m.budget--; m.budget < 0 {
				use.Alone = -1
				return
			}
			d = newDiagram(m.e, m.at(p, col), only)
		}
		switch some, _ := m.open(p, d, who); {
		case only && !some && !d.over:
			use.Closes++
		case !only && some && !d.over && use.Alone >= 0:
			use.Alone++
		}
	}
}

// takes reports that one of the copies of a policy surely takes a class at a place by a
// client, as far as these go.
func (m *Matrix) takes(copies []int, who, place, client int) bool {
	u := m.e.user(int(m.Who[who].cohort.subjects[0]))
	some := func(l dimID, classes []int, k int) bool {
		return slices.ContainsFunc(classes, func(c int) bool { return m.e.dims[l].sure[c].has(k) })
	}
	return slices.ContainsFunc(copies, func(k int) bool {
		return u.sure.has(k) && some(dimLocation, m.Places[place].classes, k) && some(dimClient, m.Clients[client].classes, k)
	})
}

// Gap is the widest set of open sign-ins of a cell, or of those that may be open where
// the cell is unknown, with how many more there are; nil where it has none. Its words
// are about the cell alone.
func (m *Matrix) Gap(who, col int) (gap *Gap, more int) {
	co := m.Who[who].cohort
	co.worlds = m.asked.worlds[who]
	d := m.certain(col)
	switch m.Cells[who][col].State {
	case CellOpen:
	case CellUnknown:
		if len(m.Lack) == 0 || len(d.roots(&co)) == 0 {
			d = newDiagram(m.e, d.q, true)
		}
	default:
		return nil, 0
	}
	list, more := m.e.search(d.q, d, []cohort{co}).list()
	if len(list) == 0 {
		return nil, 0
	}
	return &list[0], more + len(list) - 1
}

// Missing is what would settle the cells that are unknown, each with its request.
func (m *Matrix) Missing() []string { return append(slices.Clone(m.Lack), m.e.missing(m.asked.c)...) }

// Subjects are those that the sign-ins of its gaps are of, by SignIn.User.
func (m *Matrix) Subjects() []Subject { return m.e.Subjects() }

// AppName shows an app or user action as a person knows it, by its id; one that is not
// known by name is its id.
func (t *Tenant) AppName(id string) string {
	if id == resOther {
		return "any other app"
	}
	return cmp.Or(appName(t, id), id)
}

// Place names where an address or a country is to the policies; "" is not known.
func (e *Engine) Place(s *SignIn) string {
	if c := e.Point(s).Classes[dimLocation]; c >= 0 {
		return e.geo.places[c].label
	}
	return ""
}

// short is a key of some texts.
func short(words ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(words, "\x00")))
	return hex.EncodeToString(sum[:4])
}
