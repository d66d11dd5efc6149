package remedy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"partnerguard/internal/pattern"
)

// fault is the first thing that is wrong with a plan.
type fault struct{ at, text, hint string }

const (
	againHint = "have the plan made anew"
	maxText   = 2000
	maxPilot  = 10_000
	maxFinds  = 20_000
)

var (
	planForm       = pattern.Later(`^[a-z0-9][a-z0-9-]{5,39}$`)
	wordForm       = pattern.Later(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$`)
	hashForm       = pattern.Later(`^[0-9a-f]{64}$`)
	findingForm    = pattern.Later(`^[0-9a-f]{8}$`)
	permissionForm = pattern.Later(`^[A-Za-z][A-Za-z0-9.-]{1,99}$`)
	// ownKey are the keys under which a stage makes what is its own: a step that had one would be
	// taken for it, and taken away with it. policy-N is that of step N, where it has none.
	ownKey = pattern.Later(`^((pilot|share-[0-9]+)(-[0-9]+)?|twin-[0-9]+)$`)
	undos  = []Undo{Restores, Removes, SoftDeleted, Recreates, Irreversible, ByPerson}
)

// fault finds the first thing that could not be; nil: none.
func (p *Plan) fault() *fault {
	c := &checker{plan: p, made: map[string]bool{}, last: map[string]Object{}, gone: map[string]bool{}}
	c.head()
	c.stages()
	for i := range p.Steps {
		if c.found != nil {
			break
		}
		c.step(i)
	}
	c.tail()
	return c.found
}

type checker struct {
	plan  *Plan
	found *fault
	made  map[string]bool   // keys of steps so far
	last  map[string]Object // what a step left of an object
	gone  map[string]bool
}

// need notes a fault unless ok.
func (c *checker) need(ok bool, at, hint, format string, args ...any) {
	if !ok && c.found == nil {
		c.found = &fault{at, fmt.Sprintf(format, args...), hint}
	}
}

// text asks for a text of one line.
func (c *checker) text(s, at string, must bool) {
	c.need(!must || strings.TrimSpace(s) != "", at, againHint, "something stands here in every plan")
	c.need(len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }), at, againHint,
		"it is no text of one line")
}

func (c *checker) texts(l []string, at string, most int) {
	c.need(len(l) <= most, at, againHint, "there are more than %d", most)
	for i, s := range l {
		c.text(s, fmt.Sprintf("%s/%d", at, i), true)
	}
}

func (c *checker) words(l []string, form *pattern.Pattern, at string, most int) {
	c.need(len(l) <= most, at, againHint, "there are more than %d", most)
	for i, s := range l {
		here := fmt.Sprintf("%s/%d", at, i)
		c.need(form.MatchString(s), here, againHint, "%s cannot stand here", clipped(s))
		c.need(!slices.Contains(l[:i], s), here, "name it once", "%s is given twice", clipped(s))
	}
}

func (c *checker) head() {
	p := c.plan
	c.need(p.Form == Form, "/form", "this version reads "+Form, "%s is no form of a plan that is known here", clipped(p.Form))
	c.need(planForm.MatchString(p.ID), "/id", againHint, "%s is no id of a plan", clipped(p.ID))
	for _, x := range []struct{ at, s string }{{"/goal", p.Goal}, {"/by", p.By}, {"/program", p.Program}, {"/ruleBook", p.RuleBook}} {
		c.text(x.s, x.at, x.at == "/goal")
	}
	c.need(!p.Made.IsZero() && p.Made.Year() < 10_000, "/made", againHint, "it does not say when it was made")
	c.need(guidForm.MatchString(p.Tenant.ID), "/tenant/id", "the tenant's id, not its domain; in lower case", "%s is no id of a tenant", clipped(p.Tenant.ID))
	c.text(p.Tenant.Name, "/tenant/name", false)
	c.need(p.Tenant.Cloud == "" || wordForm.MatchString(p.Tenant.Cloud), "/tenant/cloud", againHint, "%s is no cloud", clipped(p.Tenant.Cloud))
	c.need(!p.Basis.AsOf.IsZero(), "/basis/asOf", againHint, "it does not say from when the settings are")
	c.texts(p.Basis.From, "/basis/from", 1000)
	c.need(p.Basis.SHA256 == "" || hashForm.MatchString(p.Basis.SHA256), "/basis/sha256", againHint, "%s is no hash", clipped(p.Basis.SHA256))
	c.words(p.Serves, wordForm, "/serves", 1000)
}

func (c *checker) stages() {
	p := c.plan
	c.need(len(p.Stages) > 0 && p.Stages[len(p.Stages)-1] == All, "/stages", "the last one is all", "the stages do not end with everybody")
	rank := -2
	for i, s := range p.Stages {
		at := fmt.Sprintf("/stages/%d", i)
		_, err := ParseStage(string(s))
		c.need(err == nil, at, "report-only, pilot, a share such as 10%, or all", "%s is no stage", clipped(string(s)))
		now := s.Share()
		if s == ReportOnly {
			now = -1
		}
		c.need(now > rank, at, "report-only, pilot, shares that grow, all", "the stage %s is out of order", clipped(string(s)))
		rank = now
	}
	c.words(p.Pilot, guidForm, "/pilot", maxPilot)
	c.need(p.Actor == "" || guidForm.MatchString(strings.TrimPrefix(p.Actor, "app:")), "/actor", "the account's id, in lower case; --actor finds it by name",
		"%s is no id of an account", clipped(p.Actor))
	w := p.Wait
	for _, d := range []int64{int64(w.ReportOnly), int64(w.Pilot), int64(w.Share)} {
		c.need(d >= 0 && d <= int64(maxWait), "/wait", "from 0s to "+spell(maxWait), "a time to wait is none")
	}
	c.need(w.SignIns >= 0 && w.SignIns <= 1e9, "/wait/signIns", "a number", "so many sign-ins cannot be waited for")
	c.need(len(p.Steps) <= MaxSteps, "/steps", "plan less at once", "there are more than %d steps", MaxSteps)
}

func (c *checker) step(i int) {
	s, at := &c.plan.Steps[i], fmt.Sprintf("/steps/%d", i)
	c.need(s.N == i+1, at+"/n", "steps count from 1, in the order in which they are done", "step %d stands where %d belongs", s.N, i+1)
	_, listedKind := idForms[s.Kind]
	c.need(listedKind || s.Kind.Single() || s.Kind == Person, at+"/kind", againHint, "%s is no kind of object", clipped(string(s.Kind)))
	c.need((s.Do == Ask) == (s.Kind == Person), at+"/do", againHint, "a person is asked, and nothing else is")
	c.need(slices.Contains([]Do{Create, Update, Delete, Ask}, s.Do), at+"/do", "create, update, delete or ask", "%s is nothing that a step does",
		clipped(string(s.Do)))
	c.need(slices.Contains(undos, s.Undo), at+"/undo", againHint, "%s is no way back", clipped(string(s.Undo)))
	c.text(s.Name, at+"/name", false)
	c.text(s.Text, at+"/text", true)
	c.text(s.ETag, at+"/etag", false)
	c.text(s.Role, at+"/role", false)
	c.texts(s.Traps, at+"/traps", 50)
	c.words(s.Serves, wordForm, at+"/serves", 1000)
	c.words(s.Permissions, permissionForm, at+"/permissions", 50)
	c.need(s.Place == nil || s.Place.Index >= 0 && wordForm.MatchString(s.Place.Segment), at+"/place", againHint, "it is no place in an archive")
	c.need(!s.Staged || !s.First && s.Do != Delete && s.Do != Ask, at+"/staged", againHint, "what comes first, goes or is a person's is not done in stages")
	c.ids(s, at)
	c.objects(s, at)
	if s.Key != "" {
		c.need(s.Do == Create && keyForm.MatchString(s.Key), at+"/key", "lower-case letters, digits and hyphens, of a step that makes something",
			"%s cannot be the key of this step", clipped(s.Key))
		c.need(!ownKey.MatchString(s.Key) && !c.unnamed(s.Key), at+"/key", "another word", "%s is a key of the stages' own", clipped(s.Key))
		c.need(!c.made[s.Key], at+"/key", "one key for one object", "the key %s is given twice", clipped(s.Key))
		c.made[s.Key] = true
	}
}

// unnamed reports the key that a stage gives to a step that has none.
func (c *checker) unnamed(key string) bool {
	n, is := strings.CutPrefix(key, "policy-")
	i, err := strconv.Atoi(n)
	return is && err == nil && i > 0 && i <= len(c.plan.Steps) && c.plan.Steps[i-1].Do == Create && c.plan.Steps[i-1].Key == ""
}

// ids checks whom a step is about, and the keys that it mentions.
func (c *checker) ids(s *Step, at string) {
	switch {
	case s.Do == Create || s.Do == Ask:
		c.need(s.ID == "", at+"/id", "leave it out", "what is made has no id yet")
	case s.ID == "" && s.Kind.Single():
	case s.Kind.Single():
		c.need(linkForm.MatchString(s.ID), at+"/id", "leave it out", "%s is no id", clipped(s.ID))
	default:
		c.need(s.Kind.IsID(s.ID), at+"/id", "Microsoft's id, in lower case", "%s is no id of a %s", clipped(s.ID), s.Kind)
	}
	for part := range strings.SplitSeq(s.ID, "/") {
		c.key(part, at+"/id")
	}
}

func (c *checker) key(s, at string) {
	if m := keyHolder.FindStringSubmatch(s); m != nil {
		c.need(c.made[m[1]], at, "a step before it makes it, and has it as its key", "nothing before it makes %s", s)
	}
}

// objects checks that what was and what is wanted are there as the deed asks for, and
// follow on what steps before left.
func (c *checker) objects(s *Step, at string) {
	if s.Do == Ask {
		c.need(s.Before == nil && s.After == nil, at, againHint, "a person's task has no objects")
		c.need(s.Task != nil && len(s.Task.Do) > 0, at+"/task", againHint, "it does not say what a person does")
		if s.Task != nil {
			c.texts(s.Task.Do, at+"/task/do", 200)
			c.texts(s.Task.Undo, at+"/task/undo", 200)
			c.text(s.Task.Check, at+"/task/check", false)
			c.text(s.Task.Within, at+"/task/within", false)
		}
		return
	}
	c.need(s.Task == nil, at+"/task", againHint, "a person's task stands in a step of its own")
	c.need((s.Before == nil) == (s.Do == Create), at+"/before", againHint, "what is there is said as it was, and what is made was not there")
	c.need((s.After == nil) == (s.Do == Delete), at+"/after", againHint, "what is wanted is said, and what goes is wanted no more")
	for _, x := range []struct {
		o  Object
		at string
	}{{s.Before, at + "/before"}, {s.After, at + "/after"}} {
		if x.o == nil {
			continue
		}
		var m map[string]any
		c.need(json.Unmarshal(x.o, &m) == nil && m != nil, x.at, againHint, "it is no object")
		c.mentions(m, x.at)
	}
	if s.Do == Create {
		return
	}
	is := string(s.Kind) + " " + s.ID
	if s.Kind.Single() {
		is = string(s.Kind)
	}
	c.need(!c.gone[is], at, againHint, "a step before it takes this object away")
	if before, changed := c.last[is]; changed {
		c.need(equalJSON(before, s.Before), at+"/before", againHint, "a step before it leaves this object otherwise")
	}
	c.last[is], c.gone[is] = s.After, s.Do == Delete
}

func equalJSON(a, b Object) bool {
	var x, y bytes.Buffer
	return json.Compact(&x, a) == nil && json.Compact(&y, b) == nil && bytes.Equal(x.Bytes(), y.Bytes())
}

// mentions checks the keys in an object.
func (c *checker) mentions(v any, at string) {
	switch v := v.(type) {
	case string:
		c.key(v, at)
	case []any:
		for i, x := range v {
			c.mentions(x, fmt.Sprintf("%s/%d", at, i))
		}
	case map[string]any:
		for k, x := range v {
			c.mentions(x, at+"/"+strings.NewReplacer("~", "~0", "/", "~1").Replace(k))
		}
	}
}

func (c *checker) tail() {
	p := c.plan
	c.need(p.Basis.SHA256 == "" || p.Basis.SHA256 == p.BeforeSHA256(), "/basis/sha256", againHint,
		"the objects as they were are not those that the plan was made from")
	for i, a := range p.Accepted {
		at := fmt.Sprintf("/accepted/%d", i)
		c.need(findingForm.MatchString(a.Finding), at+"/finding", "the id that `partnerguard remedy check` names", "%s is no id of a finding",
			clipped(a.Finding))
		c.text(a.By, at+"/by", true)
		c.text(a.Why, at+"/why", true)
		c.need(!a.Until.IsZero(), at+"/until", "a day, such as 2027-03-31T00:00:00Z", "it does not say until when")
	}
	c.need(len(p.Accepted) <= maxFinds, "/accepted", againHint, "there are more than %d", maxFinds)
	if p.Gate != nil {
		c.need(len(p.Gate.Findings)+len(p.Gate.Answers)+len(p.Gate.Ways) <= maxFinds, "/gate", againHint, "the gate has more than %d lines", maxFinds)
	}
	c.need(len(p.Signature) <= 8<<10, "/signature", againHint, "it is longer than a signature")
}
