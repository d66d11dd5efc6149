//go:build !judge

package contain

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/pattern"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/yamlguard"
)

// Limits of a plan.
const (
	maxPlan    = 8 << 20
	maxSteps   = 5000
	maxTold    = 200
	maxTarget  = 1024
	maxBefore  = 16 << 10
	brackets   = 20
	indenting  = 40
	againWords = "partnerguard fraud contain ALERT --plan writes one"
)

var (
	guid      = pattern.Later(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	azurePath = pattern.Later(`^/subscriptions/[0-9a-f-]{36}(/[\pL\pN ._()~@$-]+)+$`)
	holder    = pattern.Later(`^(applications|servicePrincipals)/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	centers   = pattern.Later(`^[0-9A-Za-z-]{1,100}$`)
)

// longestName is of a name in an id of Azure's, in characters. The expression does not count: it
// would take megabytes at each start.
const longestName = 260

// isAzureID tells an id of something in a subscription.
func isAzureID(id string) bool {
	if !azurePath.MatchString(id) {
		return false
	}
	for name := range strings.SplitSeq(id, "/") {
		if utf8.RuneCountInString(name) > longestName {
			return false
		}
	}
	return true
}

// strictly reads YAML without anything that could surprise; name is for its errors.
func strictly(name string, raw []byte, into any) (err error) {
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			err = problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "%s: not readable as YAML", name)
		}
	}()
	switch {
	case len(raw) > maxPlan:
		return problem.New(problem.Limit, "%s: it has more than %d bytes", name, maxPlan)
	case !utf8.Valid(raw):
		return problem.New(problem.BadInput, "%s: not UTF-8", name)
	}
	if line := yamlguard.TooDeep(raw, brackets, indenting); line > 0 {
		return problem.New(problem.BadInput, "%s: line %d is nested deeper than it should be", name, line)
	}
	f, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "%s: not readable as YAML", name).WithHint(againWords)
	}
	if line, _ := yamlguard.First(f, yamlguard.Expanding()...); line > 0 {
		return problem.New(problem.BadInput, "%s: line %d: anchors, aliases and tags have no place here", name, line)
	}
	if len(f.Docs) > 1 {
		return problem.New(problem.BadInput, "%s: it holds more than one document", name)
	}
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(into); err != nil {
		return problem.Wrap(err, problem.BadInput, "%s: %s", name, print.Clean(strings.SplitN(yaml.FormatError(err, false, false), "\n", 2)[0], 200)).
			WithHint(againWords)
	}
	return nil
}

// Read reads a plan's file strictly; name is for its errors. Unknown members, members given
// twice and what could not work are errors of kind problem.BadInput.
func Read(name string, raw []byte) (Plan, error) {
	var p Plan
	if err := strictly(name, raw, &p); err != nil {
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
	head := "# What shall be stopped and taken away, in order. Nothing was changed yet.\n" +
		"# Read it, take steps out; a step that is changed or added is refused. Then: partnerguard fraud contain --apply THIS-FILE\n"
	return append([]byte(head), b...), nil
}

// hashOf names something by all that it says.
func hashOf(v any) string {
	b, _ := json.Marshal(v) // texts, numbers and times alone
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// id names a step by all that it says.
func (s *Step) id() string {
	x := *s
	x.ID = ""
	return "s-" + hashOf(x)[:12]
}

// id names a plan by all that it says.
func (p *Plan) id() string {
	x := *p
	x.ID = ""
	return "cp-" + hashOf(x)[:16]
}

// stepsHash is what an approval is of: the plan and exactly these steps, in order.
func (p *Plan) stepsHash() string {
	ids := []string{p.ID}
	for i := range p.Steps {
		ids = append(ids, p.Steps[i].id())
	}
	return hashOf(ids)
}

// Check says what in a plan could not work, or must not be done.
func (p *Plan) Check() error {
	bad := func(hint, format string, args ...any) error {
		return problem.New(problem.BadInput, format, args...).WithHint("%s", hint)
	}
	const again = "have the plan made anew"
	switch {
	case p.Version != 1:
		return bad("version: 1", "the plan's version is %d", p.Version)
	case p.Cloud == "" || p.ID == "" || p.Alert == "" || p.Made.IsZero():
		return bad(again, "the plan does not say what it is of")
	case !guid.MatchString(p.Partner) || !guid.MatchString(p.Customer) || !guid.MatchString(p.Subscription):
		return bad(again, "the plan's tenants and subscription are not ids in lower case")
	case len(p.Steps) == 0:
		return bad("there is nothing to do, or "+again, "the plan has no step")
	case len(p.Steps) > maxSteps || len(p.Told) > maxTold:
		return bad("take steps out, and make another plan afterwards", "the plan has more than %d steps", maxSteps)
	}
	seen := map[string]bool{}
	for i := range p.Steps {
		s := &p.Steps[i]
		if seen[s.ID] {
			return bad("each step once", "the step %.40q is there twice", s.ID)
		}
		seen[s.ID] = true
		if i > 0 && p.Steps[i-1].Kind.rank() > s.Kind.rank() {
			return bad("leave the order as it was made", "the step %.40q is out of order: who could start things again is stopped first", s.ID)
		}
		if err := s.check(p); err != nil {
			return problem.Wrap(err, problem.BadInput, "step %.40q: %s", s.ID, err.Error()).WithHint("%s", problem.HintOf(err))
		}
	}
	return nil
}

func (s *Step) check(p *Plan) error {
	bad := func(format string, args ...any) error {
		return problem.New(problem.BadInput, format, args...).WithHint("take the step out, or have the plan made anew: steps are not changed or added by hand")
	}
	l, known := levers[s.Kind]
	switch {
	case !known:
		return bad("%.40q is no kind of step", string(s.Kind))
	case s.ID != s.id():
		return bad("it is not as it was made")
	case strings.Contains(s.Target, "/.") || strings.Contains(s.Key, "/"):
		return bad("its target leads elsewhere")
	case len(s.Target) > maxTarget || len(s.Before) > maxBefore:
		return bad("its target is longer than one is")
	case s.Phase != l.phase || s.Undo != l.undo || s.Danger != l.danger:
		return bad("it says something else of its kind than is so")
	case s.Tenant != p.Customer && s.Tenant != p.Partner:
		return bad("it is in a directory that is neither the customer's nor the partner's")
	case s.Before != "" && !json.Valid([]byte(s.Before)):
		return bad("what was before cannot be read")
	}
	fits := false
	switch s.Kind {
	case RevokeSessions, DisableUser, DisableApp:
		fits = guid.MatchString(s.Target)
	case RemoveCredential:
		fits = holder.MatchString(s.Target) && guid.MatchString(strings.ToLower(s.Key))
	case SetBudget:
		fits = s.Target == p.Customer && s.Tenant == p.Customer && s.Limit >= 0
	case Cancel, Suspend:
		fits = centers.MatchString(s.Target) && s.Tenant == p.Customer && (s.Kind == Suspend || centers.MatchString(s.Key))
	default:
		fits = isAzureID(s.Target) && strings.HasPrefix(s.Target, "/subscriptions/"+p.Subscription+"/") && s.Tenant == p.Customer &&
			strings.Contains(strings.ToLower(s.Target), "/"+typeOf(s.Kind)+"/") && s.Limit >= 0
	}
	if !fits {
		return bad("%.100q is no target of %s in the alert's subscription and directories", s.Target, s.Kind)
	}
	return nil
}

// typeOf is the type in the ids of what a kind works on, lower case.
func typeOf(k Kind) string {
	return map[Kind]string{
		RemoveRole: "microsoft.authorization/roleassignments", StopMachine: "microsoft.compute/virtualmachines",
		StopSet: "microsoft.compute/virtualmachinescalesets", StopPool: "microsoft.batch/batchaccounts",
		StopCompute: "microsoft.machinelearningservices/workspaces", StopContainers: "microsoft.containerinstance/containergroups",
		LowerQuota: "microsoft.quota/quotas",
	}[k]
}

// subset says whether a plan is one that was made, less some steps. Whatever else differs is
// named by the error, of kind problem.BadInput.
func (p *Plan) subset(made *Plan) error {
	bad := func(format string, args ...any) error {
		return problem.New(problem.BadInput, format, args...).WithHint("take steps out and change nothing else, or have the plan made anew: " + againWords)
	}
	a, b := *p, *made
	a.Steps, a.Told, b.Steps, b.Told = nil, nil, nil, nil
	if hashOf(a) != hashOf(b) {
		return bad("the plan's head is not as it was made")
	}
	known := map[string]bool{}
	for i := range made.Steps {
		known[made.Steps[i].id()] = true
	}
	for i := range p.Steps {
		if s := &p.Steps[i]; s.ID != s.id() || !known[s.ID] {
			return bad("the step %.40q was changed, or is not of this plan", s.ID)
		}
	}
	return nil
}
