//go:build !judge

package budget

import (
	"bytes"
	"fmt"
	"math"
	"slices"
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
	maxPlan      = 32 << 20
	maxCustomers = 20_000
	maxEmails    = 50 // of a notification, by Azure
	maxAmount    = 1e9
	brackets     = 20
	indenting    = 40
)

var (
	guid     = pattern.Later(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	currency = pattern.Later(`^[A-Z]{3}$`)
	email    = pattern.Later(`^[^@\s"'<>,;]{1,64}@[A-Za-z0-9.-]{1,250}$`)
)

// roles are those that a notification of Azure's can name.
var roles = []string{"Owner", "Contributor", "Reader"}

// Read reads a plan's file strictly; name is for its errors. Unknown members, members given
// twice and what could not work are errors of kind problem.BadInput.
func Read(name string, raw []byte) (p Plan, err error) {
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			err = problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "%s: not readable as YAML", name)
		}
	}()
	const again = "partnerguard budgets plan writes one"
	switch {
	case len(raw) > maxPlan:
		return p, problem.New(problem.Limit, "%s: it has more than %d bytes", name, maxPlan)
	case !utf8.Valid(raw):
		return p, problem.New(problem.BadInput, "%s: not UTF-8", name)
	}
	if line := yamlguard.TooDeep(raw, brackets, indenting); line > 0 {
		return p, problem.New(problem.BadInput, "%s: line %d is nested deeper than it should be", name, line)
	}
	f, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return p, problem.Wrap(err, problem.BadInput, "%s: not readable as YAML", name).WithHint(again)
	}
	if line, _ := yamlguard.First(f, yamlguard.Expanding()...); line > 0 {
		return p, problem.New(problem.BadInput, "%s: line %d: anchors, aliases and tags have no place here", name, line)
	}
	if len(f.Docs) > 1 {
		return p, problem.New(problem.BadInput, "%s: it holds more than one document", name)
	}
	if err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&p); err != nil {
		return p, problem.Wrap(err, problem.BadInput, "%s: %s", name, print.Clean(strings.SplitN(yaml.FormatError(err, false, false), "\n", 2)[0], 200)).
			WithHint(again)
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
	head := "# Which spending budgets shall be set, customer by customer. Nothing was changed yet.\n" +
		"# A budget tells people when a share of it is spent. It never caps: nothing stops at it.\n" +
		"# Read it, change it, take customers out, then: partnerguard budgets apply THIS-FILE\n"
	return append([]byte(head), b...), nil
}

// Check says what in a plan could not work, or must not be done.
func (p *Plan) Check() error {
	switch {
	case p.Version != 1:
		return bad("version: 1", "the plan's version is %d", p.Version)
	case p.Cloud == "":
		return bad("have the plan made anew", "the plan names no cloud")
	case !guid.MatchString(p.Tenant):
		return bad("write the partner's tenant id in lower case", "the plan's tenant is not an id")
	case p.Made.IsZero():
		return bad("have the plan made anew", "the plan does not say when it was made")
	case len(p.Customers) == 0:
		return bad("have the plan made anew: every customer has a budget already, or none is known", "the plan names no customer")
	case len(p.Customers) > maxCustomers:
		return bad("make several plans, with --customers FILE", "the plan names more than %d customers", maxCustomers)
	}
	seen, subs := map[string]bool{}, map[string]bool{}
	for i := range p.Customers {
		c := &p.Customers[i]
		if seen[c.Tenant] {
			return bad("one entry a customer", "the customer %.40q is named twice", c.Tenant)
		}
		seen[c.Tenant] = true
		if err := c.check(p.Tenant, subs); err != nil {
			return problem.Wrap(err, problem.BadInput, "customer %.40q: %s", c.Tenant, err.Error()).WithHint("%s", problem.HintOf(err))
		}
	}
	return nil
}

func bad(hint, format string, args ...any) error {
	return problem.New(problem.BadInput, format, args...).WithHint("%s", hint)
}

func (c *Customer) check(partner string, subs map[string]bool) error {
	switch {
	case !guid.MatchString(c.Tenant) || c.Tenant == partner:
		return bad("a customer is named by its tenant id, in lower case", "it is no customer's tenant")
	case c.Currency != "" && !currency.MatchString(c.Currency):
		return bad("EUR, USD and the like", "%.20q is no currency", c.Currency)
	case c.Center == nil && len(c.Azure) == 0:
		return bad("take the customer out", "nothing is set for it")
	case len(c.Azure) > maxSubscriptions:
		return bad("take some out", "it has more than %d subscriptions", maxSubscriptions)
	}
	if w := c.Center; w != nil {
		if err := checkAmount(w.Amount, w.Was); err != nil {
			return err
		}
	}
	for _, w := range c.Azure {
		switch {
		case w == nil || !guid.MatchString(w.Subscription) || subs[w.Subscription]:
			return bad("each subscription once, by its id in lower case", "it names something that is no subscription, or one twice")
		case len(w.Emails) == 0 && len(w.Roles) == 0:
			return bad("contactEmails or contactRoles", "the budget of %s tells nobody", w.Subscription)
		case len(w.Emails) > maxEmails:
			return bad("name a distribution list", "the budget of %s tells more than %d addresses", w.Subscription, maxEmails)
		}
		subs[w.Subscription] = true
		if err := CheckContacts(w.Emails, w.Roles); err != nil {
			return err
		}
		if err := checkAmount(w.Amount, w.Was); err != nil {
			return err
		}
	}
	return nil
}

// CheckContacts refuses what Azure takes neither for an address nor for a role.
func CheckContacts(emails, names []string) error {
	for _, x := range emails {
		if !email.MatchString(x) {
			return bad("such as finops@contoso.example", "%.60q is no mail address", x)
		}
	}
	for _, x := range names {
		if !slices.Contains(roles, x) {
			return bad(strings.Join(roles, ", "), "%.40q is no role that a budget can tell", x)
		}
	}
	return nil
}

func checkAmount(v float64, was Was) error {
	_, number := was.amount()
	switch {
	case math.IsNaN(v) || v <= 0 || v > maxAmount:
		return bad("an amount of money", "%v is no amount of a budget: between 0 and %.0f", v, float64(maxAmount))
	case v != cents(v):
		return bad("two digits after the point at most", "%v is no amount of money", v)
	case was != WasNone && was != WasNotRead && !number:
		return bad("have the plan made anew", "%.40q is nothing that was there: none, not read, or an amount", string(was))
	}
	return nil
}
