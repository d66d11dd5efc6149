package broker

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // the hours of a policy name zones, and a bare server knows none
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"partnerguard/internal/caller"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam"
	"partnerguard/internal/yamlguard"
)

// Policy says which caller may have which token. Whatever it does not allow is
// denied.
type Policy struct {
	Version int             `yaml:"version"` // 1
	Zone    string          `yaml:"zone"`    // of all hours that name none; default UTC
	Issuers []caller.Issuer `yaml:"issuers"`
	Callers []CallerRule    `yaml:"callers"`

	who *caller.Rules // of these callers, in a policy that is in place
}

// rules are the callers, as they prove themselves.
func (p *Policy) rules() *caller.Rules {
	r := &caller.Rules{Issuers: p.Issuers}
	for i := range p.Callers {
		r.Callers = append(r.Callers, &p.Callers[i].Rule)
	}
	return r
}

// CallerRule is one caller: how it proves itself, and what it may have.
type CallerRule struct {
	caller.Rule `yaml:",inline"`
	// Default is the customer whose tenant is meant when the caller names none;
	// default partner.
	Default string  `yaml:"default"`
	Grants  []Grant `yaml:"grants"`
}

// Grant allows some tokens. Every part must allow what is asked for.
type Grant struct {
	Connection string   `yaml:"connection"` // id: a name can become another's
	Tenants    []string `yaml:"tenants"`    // partner, all-customers, tenant ids, domains
	Resources  []string `yaml:"resources"`  // graph, partner-center, arm, or identifier URIs
	// Scopes are all that a token may carry. It is asked for with exactly these;
	// one that carries more, since more was consented to, is refused. None: what
	// the app was granted there.
	Scopes []string `yaml:"scopes"`
	// Lifetime refuses a token that would live longer; 0 is any. Entra ID's live
	// 60 to 90 minutes.
	Lifetime time.Duration `yaml:"lifetime"`
	// Recheck makes the caller ask again so soon; the token itself lives on.
	Recheck  time.Duration `yaml:"recheck"`
	Hours    *Hours        `yaml:"hours"`
	Approval *Approval     `yaml:"approval"`
}

// Hours are when a grant counts.
type Hours struct {
	Days []string `yaml:"days"` // mon … sun, or ranges like mon-fri; none: every day
	From string   `yaml:"from"` // 07:00
	To   string   `yaml:"to"`   // 19:00, exclusive; before From it is the next day's
	Zone string   `yaml:"zone"` // IANA name; default the policy's

	days     [7]bool
	from, to int // minutes
	zone     *time.Location
}

// Approval makes a person say yes first.
type Approval struct {
	By  []string      `yaml:"by"`  // who may; never the caller itself
	For time.Duration `yaml:"for"` // how long a yes counts
}

// Words with a meaning of their own among tenants.
const (
	Partner      = "partner"
	AllCustomers = "all-customers"
)

const maxPolicy = 1 << 20

// ParsePolicy reads a policy file; name is for its errors, which say the line.
// Unknown keys, names given twice, and grants that could allow nothing or
// anything by accident are errors.
func ParsePolicy(name string, raw []byte) (_ *Policy, err error) {
	defer func() {
		if r := recover(); r != nil { // of the YAML library
			err = problem.Wrap(fmt.Errorf("%v", r), problem.BadInput, "%s: not readable as YAML", name)
		}
	}()
	switch {
	case len(raw) > maxPolicy:
		return nil, problem.New(problem.Limit, "%s: a policy has at most %d bytes", name, maxPolicy)
	case !utf8.Valid(raw):
		return nil, problem.New(problem.BadInput, "%s: not UTF-8", name)
	}
	if line := yamlguard.TooDeep(raw, 50, 100); line > 0 {
		return nil, problem.New(problem.BadInput, "%s:%d: nested too deep", name, line)
	}
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, wrong(name, err)
	}
	if len(file.Docs) > 1 {
		return nil, problem.New(problem.BadInput, "%s: a policy is one YAML document", name)
	}
	if at, _ := yamlguard.First(file, yamlguard.Expanding()...); at > 0 {
		return nil, problem.New(problem.BadInput, "%s:%d: anchors, aliases and tags are not taken", name, at).WithHint("write the value out where it is needed")
	}
	p := &Policy{}
	if err := yaml.UnmarshalWithOptions(raw, p, yaml.Strict()); err != nil {
		if line, word := badDuration(raw, err); line > 0 {
			return nil, problem.New(problem.BadInput, "%s:%d: %.40q is no duration, e.g. 90m or 8h", name, line, word)
		}
		return nil, wrong(name, err)
	}
	c := &checker{name: name, file: file}
	c.policy(p)
	if c.err != nil {
		return nil, c.err
	}
	return p, nil
}

func wrong(name string, err error) error {
	line, text := 0, "not readable as YAML"
	if e, ok := errors.AsType[yaml.Error](err); ok {
		text = e.GetMessage()
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
	}
	return problem.Wrap(err, problem.BadInput, "%s:%d: %s", name, line, text).WithHint("docs/broker.md says what may stand where")
}

// badDuration finds the word that is no duration, for whose place the library
// has no words.
func badDuration(raw []byte, err error) (line int, word string) {
	_, rest, ok := strings.Cut(err.Error(), "duration ")
	if !ok {
		return 0, ""
	}
	quoted, qerr := strconv.QuotedPrefix(rest)
	if qerr != nil {
		return 0, ""
	}
	word, _ = strconv.Unquote(quoted)
	for text := range bytes.Lines(raw) {
		line++
		if bytes.Contains(text, []byte(word)) {
			return line, word
		}
	}
	return 0, ""
}

// checker finds what is well formed and wrong. It keeps the first fault.
type checker struct {
	name string
	file *ast.File
	err  error
}

func (c *checker) fault(path, format string, args ...any) {
	if c.err != nil {
		return
	}
	line := 0
	// The thing itself, or else the nearest thing around it.
	for p := path; line == 0 && p != ""; {
		if yp, err := yaml.PathString("$." + p); err == nil {
			if n, err := yp.FilterFile(c.file); err == nil && n != nil && n.GetToken() != nil {
				line = n.GetToken().Position.Line
			}
		}
		p = p[:max(strings.LastIndexAny(p, ".["), 0)]
	}
	c.err = problem.New(problem.BadInput, "%s:%d: %s: %s", c.name, max(line, 1), path, fmt.Sprintf(format, args...)).
		WithHint("docs/broker.md says what may stand where")
}

func (c *checker) policy(p *Policy) {
	if p.Version != 1 {
		c.fault("version", "must be 1, got %d", p.Version)
	}
	who := caller.NewChecker(c.fault)
	for i := range p.Issuers {
		who.Issuer(fmt.Sprintf("issuers[%d]", i), &p.Issuers[i])
	}
	for i := range p.Callers {
		r, path := &p.Callers[i], fmt.Sprintf("callers[%d]", i)
		if !who.Rule(path, &r.Rule) {
			return
		}
		if len(r.Grants) == 0 {
			c.fault(path+".grants", "a caller without grants may have nothing: remove it")
		}
		for k := range r.Grants {
			c.grant(fmt.Sprintf("%s.grants[%d]", path, k), &r.Grants[k], r, p.Zone)
		}
	}
}

func (c *checker) grant(path string, g *Grant, r *CallerRule, zone string) {
	if g.Connection == "" {
		c.fault(path+".connection", "is required")
	} else if !sam.IsID(g.Connection) {
		c.fault(path+".connection", "%.40q is a name, which can become another connection's: write the id, c-…, that partnerguard connect status shows",
			g.Connection)
	}
	if len(g.Tenants) == 0 || slices.Contains(g.Tenants, "") {
		c.fault(path+".tenants", "is required: %s, %s, tenant ids or domains", Partner, AllCustomers)
	}
	if slices.Contains(g.Tenants, "*") || slices.Contains(g.Resources, "*") {
		c.fault(path, "* is not taken: all customers are %s, and resources are named", AllCustomers)
	}
	if len(g.Resources) == 0 {
		c.fault(path+".resources", "is required: graph, partner-center, arm, or identifier URIs")
	}
	if g.Lifetime < 0 || g.Recheck < 0 || g.Recheck > 0 && g.Recheck < time.Minute {
		c.fault(path, "lifetime and recheck are durations like 90m; recheck is at least 1m")
	}
	if h := g.Hours; h != nil {
		if err := h.prepare(zone); err != nil {
			c.fault(path+".hours", "%s", err)
		}
	}
	if a := g.Approval; a != nil {
		if len(a.By) == 0 || slices.Contains(a.By, "") {
			c.fault(path+".approval.by", "must name who may approve")
		}
		if a.For < time.Minute || a.For > 90*24*time.Hour {
			c.fault(path+".approval.for", "must be between 1m and 2160h")
		}
		for _, who := range a.By {
			if isSelf(who, r.Name, "") {
				c.fault(path+".approval.by", "a caller cannot approve itself")
			}
		}
	}
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // by time.Weekday

func (h *Hours) prepare(zone string) (err error) {
	for _, z := range []string{h.Zone, zone, "UTC"} {
		if z == "" {
			continue
		}
		if z == "Local" {
			return errors.New("the zone Local means another thing on each machine: name it, e.g. Europe/Berlin")
		}
		if h.zone, err = time.LoadLocation(z); err != nil {
			return fmt.Errorf("%q is no time zone, e.g. Europe/Berlin", z)
		}
		break
	}
	clock := func(s string, def int) (int, error) {
		if s == "" {
			return def, nil
		}
		if s == "24:00" {
			return 24 * 60, nil
		}
		t, err := time.Parse("15:04", s)
		if err != nil {
			return 0, fmt.Errorf("%q is no time of day, e.g. 07:30", s)
		}
		return t.Hour()*60 + t.Minute(), nil
	}
	if h.from, err = clock(h.From, 0); err != nil {
		return err
	}
	if h.to, err = clock(h.To, 24*60); err != nil {
		return err
	}
	if h.from == h.to || h.from == 24*60 {
		return errors.New("from and to leave no time")
	}
	if len(h.Days) == 0 {
		h.days = [7]bool{true, true, true, true, true, true, true}
	}
	for _, d := range h.Days {
		first, last, isRange := strings.Cut(strings.ToLower(d), "-")
		if !isRange {
			last = first
		}
		a, b := slices.Index(dayNames, first), slices.Index(dayNames, last)
		if a < 0 || b < 0 {
			return fmt.Errorf("%q is no day, e.g. mon or mon-fri", d)
		}
		for i := a; ; i = (i + 1) % 7 {
			h.days[i] = true
			if i == b {
				break
			}
		}
	}
	return nil
}

// open says whether the hours are on, and until when.
func (h *Hours) open(now time.Time) (until time.Time, ok bool) {
	t := now.In(h.zone)
	for _, back := range []int{0, 1} { // a window may have begun yesterday
		day := time.Date(t.Year(), t.Month(), t.Day()-back, 12, 0, 0, 0, h.zone)
		at := func(minutes int) time.Time {
			return time.Date(day.Year(), day.Month(), day.Day(), 0, minutes, 0, 0, h.zone)
		}
		end := at(h.to)
		if h.to < h.from {
			end = at(h.to + 24*60)
		}
		if h.days[day.Weekday()] && !t.Before(at(h.from)) && t.Before(end) {
			return end, true
		}
	}
	return time.Time{}, false
}

func (h *Hours) String() string {
	days := "every day"
	if len(h.Days) > 0 {
		days = strings.Join(h.Days, ", ")
	}
	return fmt.Sprintf("%s %02d:%02d to %02d:%02d (%s)", days, h.from/60, h.from%60, h.to/60, h.to%60, h.zone)
}

// isSelf says whether a person named in the policy or at an approval is the
// caller itself.
func isSelf(who, name, actor string) bool {
	bare := func(s string) string {
		for _, kind := range []string{"local:", "mtls:", "oidc:"} {
			s = strings.TrimPrefix(s, kind)
		}
		return s
	}
	return strings.EqualFold(bare(who), bare(name)) || actor != "" && strings.EqualFold(bare(who), bare(actor))
}
