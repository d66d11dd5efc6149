//go:build !judge

package move

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/entra"
	"partnerguard/internal/pattern"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// Limits of a plan, and of a template.
const (
	maxPlan      = 32 << 20
	maxTemplate  = 256 << 10
	maxCustomers = 5000
	maxGroups    = 100 // of a customer
	maxRoles     = 100
	maxRelations = 200 // of a customer
	maxTitle     = 50  // of a relationship, by Microsoft
	maxWords     = 40
	brackets     = 20
	indenting    = 40
)

var (
	guid   = pattern.Later(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	double = pattern.Later(`^[0-9A-Za-z-]{1,100}$`) // a relationship's id: two ids and a dash
	title  = pattern.Later(`^[A-Za-z0-9][A-Za-z0-9 _-]{0,49}$`)
	span   = pattern.Later(`^P([1-9][0-9]{0,2})D$`)
)

// strictly reads YAML without anything that could surprise; name is for its errors.
func strictly(name, again string, raw []byte, most int, into any) (err error) {
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			err = problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "%s: not readable as YAML", name)
		}
	}()
	switch {
	case len(raw) > most:
		return problem.New(problem.Limit, "%s: it has more than %d bytes", name, most)
	case !utf8.Valid(raw):
		return problem.New(problem.BadInput, "%s: not UTF-8", name)
	}
	if line := yamlguard.TooDeep(raw, brackets, indenting); line > 0 {
		return problem.New(problem.BadInput, "%s: line %d is nested deeper than it should be", name, line)
	}
	f, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "%s: not readable as YAML", name).WithHint("%s", again)
	}
	if line, _ := yamlguard.First(f, yamlguard.Expanding()...); line > 0 {
		return problem.New(problem.BadInput, "%s: line %d: anchors, aliases and tags have no place here", name, line)
	}
	if len(f.Docs) > 1 {
		return problem.New(problem.BadInput, "%s: it holds more than one document", name)
	}
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(into); err != nil {
		return problem.Wrap(err, problem.BadInput, "%s: %s", name, print.Clean(strings.SplitN(yaml.FormatError(err, false, false), "\n", 2)[0], 200)).
			WithHint("%s", again)
	}
	return nil
}

// Read reads a plan's file strictly; name is for its errors. Unknown members, members
// given twice and what could not work are errors of kind problem.BadInput.
func Read(name string, raw []byte) (Plan, error) {
	var p Plan
	if err := strictly(name, "partnerguard delegation plan writes one", raw, maxPlan, &p); err != nil {
		return p, err
	}
	if err := p.Check(); err != nil {
		return p, problem.Wrap(err, problem.BadInput, "%s: %s", name, err.Error()).WithHint("%s", problem.HintOf(err))
	}
	return p, nil
}

// YAML writes a plan for people.
func (p *Plan) YAML() ([]byte, error) {
	b, err := yaml.Marshal(p)
	if err != nil {
		return nil, problem.Wrap(err, problem.Internal, "the plan cannot be written")
	}
	head := "# What shall become of delegated administration, customer by customer. Nothing was changed yet.\n" +
		"# Read it, change it, take customers out, then: partnerguard delegation apply THIS-FILE\n"
	return append([]byte(head), b...), nil
}

// ID names a plan by all that it says.
func (p *Plan) ID() string {
	b, _ := json.Marshal(p) // texts, numbers and times alone
	sum := sha256.Sum256(b)
	return "dp-" + hex.EncodeToString(sum[:8])
}

// Check says what in a plan could not work, or must not be done.
func (p *Plan) Check() error {
	bad := func(hint, format string, args ...any) error {
		return problem.New(problem.BadInput, format, args...).WithHint("%s", hint)
	}
	switch {
	case p.Version != 1:
		return bad("version: 1", "the plan's version is %d", p.Version)
	case p.Cloud == "":
		return bad("have the plan made anew", "the plan names no cloud")
	case !guid.MatchString(p.Tenant):
		return bad("write the partner's tenant id in lower case", "the plan's tenant is not an id")
	case p.Made.IsZero() || p.Facts.IsZero():
		return bad("have the plan made anew", "the plan does not say when it was made, or of what")
	case len(p.Customers) == 0:
		return bad("have the plan made anew", "the plan names no customer")
	case len(p.Customers) > maxCustomers:
		return bad("make several plans, with --customers FILE", "the plan names more than %d customers", maxCustomers)
	case len(p.Stages) == 0 || len(p.Stages) > 20 || !slices.IsSorted(p.Stages) || p.Stages[0] < 1 || p.Stages[len(p.Stages)-1] != 100:
		return bad("stages: [5, 25, 100]", "the plan's stages are not percentages that rise to 100")
	}
	seen, names := map[string]bool{}, map[string]bool{}
	for i := range p.Customers {
		c := &p.Customers[i]
		if seen[c.Tenant] {
			return bad("one entry a customer", "the customer %s is named twice", c.Tenant)
		}
		seen[c.Tenant] = true
		if err := c.check(p, names); err != nil {
			return problem.Wrap(err, problem.BadInput, "customer %.40q: %s", c.Tenant, err.Error()).WithHint("%s", problem.HintOf(err))
		}
	}
	return nil
}

func (c *Customer) check(p *Plan, names map[string]bool) error {
	bad := func(hint, format string, args ...any) error {
		return problem.New(problem.BadInput, format, args...).WithHint("%s", hint)
	}
	switch {
	case !guid.MatchString(c.Tenant) || c.Tenant == p.Tenant:
		return bad("a customer is named by its tenant id, in lower case", "it is no customer's tenant")
	case c.Stage < 1 || c.Stage > len(p.Stages):
		return bad("stages count from 1", "there is no stage %d", c.Stage)
	case c.Change != Keep && c.Change != Narrow && c.Change != Replace:
		return bad("keep, narrow or replace", "%.20q is no change", string(c.Change))
	case c.DAP != DAPKeep && c.DAP != DAPRemove:
		return bad("keep or remove", "%.20q is nothing that becomes of DAP", string(c.DAP))
	case len(c.Groups) > maxGroups || len(c.End) > maxRelations || len(c.Was.Relationships) > maxRelations || len(c.Words) > maxWords:
		return bad("have the plan made anew", "it has more of something than a plan takes")
	case (c.Change == Keep) != (c.Relationship == nil):
		return bad("have the plan made anew", "a change names the relationship that gives access afterwards, and keep names none")
	case c.Change == Keep && c.DAP == DAPRemove:
		return bad("have the plan made anew, or dap: keep", "DAP goes only where the plan names the relationship that gives access afterwards, and probes it")
	case c.Change == Keep && len(c.Groups) > 0, c.Change != Keep && len(c.Groups) == 0:
		return bad("have the plan made anew", "groups get roles by a change, and by no other way")
	}
	if err := c.checkRelationship(names); err != nil {
		return err
	}
	groups := map[string]bool{}
	for _, g := range c.Groups {
		if !guid.MatchString(g.ID) || groups[g.ID] {
			return bad("each group once, by its id in lower case", "%.40q is not a group, or is named twice", g.ID)
		}
		groups[g.ID] = true
		if err := checkRoles(g.Roles); err != nil {
			return err
		}
		for _, r := range g.Roles {
			if !slices.Contains(c.Relationship.Roles, r) {
				return bad("add it to the relationship's roles", "the group %s gets %s, which the relationship does not hold", g.ID, r)
			}
		}
	}
	return c.checkEnd()
}

func (c *Customer) checkRelationship(names map[string]bool) error {
	bad := func(hint, format string, args ...any) error {
		return problem.New(problem.BadInput, format, args...).WithHint("%s", hint)
	}
	r := c.Relationship
	if r == nil {
		return nil
	}
	if err := checkRoles(r.Roles); err != nil {
		return err
	}
	global := slices.Contains(r.Roles, entra.RoleGlobalAdministrator)
	if c.Change == Narrow {
		was := c.was(r.ID)
		switch {
		case was == nil:
			return bad("have the plan made anew", "it narrows %.100q, which the plan did not find", r.ID)
		case r.Duration != "" || r.AutoExtend != "":
			return bad("leave duration and autoExtend out", "an active relationship is not made longer here")
		case r.DropGlobal && (global || !slices.Contains(was.Roles, entra.RoleGlobalAdministrator)):
			return bad("leave dropGlobalAdministrator out", "it takes Global Administrator out of a relationship that keeps it, or has none")
		}
		for _, x := range r.Roles {
			if !slices.Contains(was.Roles, x) {
				return bad("change: replace", "an active relationship gets no further role, and %s does not hold %s", r.ID, x)
			}
		}
		return nil
	}
	days := span.FindStringSubmatch(r.Duration)
	switch {
	case r.ID != "" || r.DropGlobal:
		return bad("change: narrow", "a new relationship has no id yet, and Global Administrator is left out by not naming it")
	case !title.MatchString(r.Name):
		return bad("letters, digits, blanks, dashes", "%.60q is no name for a relationship: 1 to %d plain characters", r.Name, maxTitle)
	case names[strings.ToLower(r.Name)]:
		return bad("each relationship has a name of its own", "the name %q is there twice", r.Name)
	case days == nil || len(days[1]) == 3 && days[1] > "730":
		return bad("duration: P730D at most", "%.20q is no duration of a relationship", r.Duration)
	case r.AutoExtend != "" && r.AutoExtend != "P180D":
		return bad("autoExtend: P180D, or nothing", "%.20q is no extension", r.AutoExtend)
	case r.AutoExtend != "" && global:
		return bad("leave autoExtend out", "a relationship with Global Administrator cannot extend itself")
	}
	names[strings.ToLower(r.Name)] = true
	return nil
}

func (c *Customer) checkEnd() error {
	seen := map[string]bool{}
	for _, e := range c.End {
		switch {
		case c.was(e.ID) == nil || seen[e.ID]:
			return problem.New(problem.BadInput, "it ends %.100q, which the plan did not find, or twice", e.ID).WithHint("have the plan made anew")
		case c.Relationship != nil && c.Relationship.ID == e.ID:
			return problem.New(problem.BadInput, "it ends %.100q, which gives the access afterwards", e.ID).WithHint("take one of the two out")
		}
		seen[e.ID] = true
	}
	for i := range c.Was.Relationships {
		w := &c.Was.Relationships[i]
		if !double.MatchString(w.ID) || len(w.Roles) > maxRoles || len(w.Groups) > maxGroups {
			return problem.New(problem.BadInput, "%.100q is no relationship that was there", w.ID).WithHint("have the plan made anew")
		}
		for _, g := range w.Groups {
			if !guid.MatchString(g.Group) || !double.MatchString(g.Assignment) || len(g.Roles) > maxRoles {
				return problem.New(problem.BadInput, "%.100q is no assignment that was there", g.Assignment).WithHint("have the plan made anew")
			}
		}
	}
	return nil
}

// was gives a relationship that the plan found.
func (c *Customer) was(id string) *WasRelationship {
	for i := range c.Was.Relationships {
		if c.Was.Relationships[i].ID == id {
			return &c.Was.Relationships[i]
		}
	}
	return nil
}

func checkRoles(roles []string) error {
	if len(roles) == 0 || len(roles) > maxRoles {
		return problem.New(problem.BadInput, "between 1 and %d roles are given", maxRoles).WithHint("a group without roles is left out")
	}
	seen := map[string]bool{}
	for _, r := range roles {
		id, err := roleID(r)
		if err != nil {
			return err
		}
		if id != r || seen[r] {
			return problem.New(problem.BadInput, "the role %.60q is named twice, or not by its id in lower case", r).WithHint("write %s", id)
		}
		seen[r] = true
	}
	return nil
}

// roleID gives the template id of a role by id or name. Partner Tier1 and Tier2 Support are
// none that anybody is given: Microsoft says not to use them.
func roleID(name string) (string, error) {
	r, ok := entra.FindRole(strings.ToLower(name))
	if !ok {
		for _, x := range entra.Roles() {
			if strings.EqualFold(x.Name, name) || strings.EqualFold(x.Listed(), name) {
				r, ok = x, true
			}
		}
	}
	switch {
	case !ok:
		return "", problem.New(problem.BadInput, "%.60q is no role of the directory", name).WithHint("name a built-in role, or its template id")
	case legacy(r.ID):
		return "", problem.New(problem.BadInput, "%s is not given to anybody: Microsoft says not to use it", r.Name).
			WithHint("name the roles of its work, as partnerguard delegation recommend finds them")
	}
	return r.ID, nil
}

// legacy says that a role is one of the two that reach Global Administrator unseen.
func legacy(role string) bool {
	return role == entra.RolePartnerTier1Support || role == entra.RolePartnerTier2Support
}
