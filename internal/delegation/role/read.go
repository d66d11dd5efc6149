package role

import (
	"cmp"
	"embed"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
)

//go:generate go run ./gen ../../../../shared/facts/roles data

//go:embed data
var data embed.FS

// entry is an activity of the audit log with the actions that allow it.
type entry struct {
	category string
	activity string
	anyOf    []string
	sure     string // high, mid, low, none
	strict   bool   // the words mean this in this category alone
	note     string
	source   source
}

// place is where an act stands in Microsoft's task table.
type place struct {
	property string // of the modified ones; "" any
	target   Target // TargetNone any
	task     string
	least    []string // role ids in the table's order, the least first
}

// class is which of Microsoft's tables says who may do an act to an administrator.
type class string

const (
	password  class = "password"
	sensitive class = "sensitive"
	methods   class = "methods"
	group     class = "group" // role-assignable groups
)

// call is a call of Partner Center with the roles of which any will do.
type call struct {
	target Target
	name   string
	roles  []string
	sure   string
	note   string
}

// read reads the embedded tables.
func read(files fs.FS) (*Catalog, error) {
	c := &Catalog{
		byID: map[string]*known{}, byName: map[string]*known{}, entries: map[string][]*entry{},
		refined: map[string]map[string][]string{}, places: map[string][]place{},
		classes: map[string]map[string]class{}, calls: map[string][]call{}, sources: map[string]source{},
	}
	for _, step := range []func(fs.FS) error{c.readSources, c.readRoles, c.readActivities, c.readPlaces, c.readClasses, c.readCalls} {
		if err := step(files); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Catalog) readSources(files fs.FS) error {
	return rows(files, "sources", func(row func(string) string) error {
		date, err := time.Parse(time.DateOnly, row("date"))
		c.sources[row("data")] = source{row("source") + ", " + row("date"), date}
		return err
	})
}

// readRoles joins the definitions with what is judged of each role by hand.
func (c *Catalog) readRoles(files fs.FS) error {
	raw, err := fs.ReadFile(files, "data/roles.json")
	if err != nil {
		return err
	}
	var defs []struct {
		ID         string   `json:"id"`
		Name       string   `json:"name"`
		Privileged bool     `json:"privileged"`
		Inherits   []string `json:"inherits"`
		Actions    []string `json:"actions"`
	}
	if err := json.Unmarshal(raw, &defs); err != nil {
		return err
	}
	own := map[string][]string{}
	for _, d := range defs {
		own[d.ID] = d.Actions
		c.byID[d.ID] = &known{Role: Role{ID: d.ID, Name: d.Name, Privileged: d.Privileged}, actions: map[string]bool{}}
	}
	for _, d := range defs {
		for _, from := range append([]string{d.ID}, d.Inherits...) {
			for _, a := range own[from] {
				c.byID[d.ID].actions[a] = true
			}
		}
	}
	if err := rows(files, "judged", c.judge); err != nil {
		return err
	}
	for id, k := range c.byID {
		if k.Theft == "" {
			return fmt.Errorf("nobody judged the role %s %s", id, k.Name)
		}
		c.roles = append(c.roles, k)
	}
	slices.SortFunc(c.roles, func(a, b *known) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return nil
}

func (c *Catalog) judge(row func(string) string) error {
	id := row("id")
	k := c.byID[id]
	if k == nil { // known by its id alone: nothing is said of what it may do
		k = &known{Role: Role{ID: id, Name: row("name")}}
		c.byID[id] = k
	}
	var err error
	k.Weight, err = strconv.Atoi(row("weight"))
	k.Road, k.RoadWhy = row("road") != "", row("road")
	k.Never, k.NeverWhy = row("never") != "", row("never")
	for _, w := range list(row("workloads"), ";") {
		k.Workloads = append(k.Workloads, Workload(w))
	}
	k.Theft, k.makes = row("theft"), Target(row("target"))
	also := append(list(row("also"), ";"), row("name"), k.Name)
	if today, ok := entra.FindRole(id); ok { // the definitions keep some older names and marks
		also = append(also, today.Name)
		k.Name, k.Privileged = today.Name, today.Privileged
	}
	for _, n := range also {
		if old := c.byName[fold(n)]; old != nil && old != k {
			return fmt.Errorf("two roles are named %s", n)
		}
		c.byName[fold(n)] = k
	}
	return err
}

func (c *Catalog) readActivities(files fs.FS) error {
	take := func(from string) func(func(string) string) error {
		return func(row func(string) string) error {
			e := &entry{
				category: fold(row("category")), activity: fold(row("activityDisplayName")),
				anyOf: list(row("acceptable_actions_any_of"), "|"), sure: row("sure"), strict: row("strict") == "yes",
				note: row("note"), source: c.sources[from],
			}
			// The later table corrects the earlier one.
			c.entries[e.activity] = append(slices.DeleteFunc(c.entries[e.activity],
				func(o *entry) bool { return o.category == e.category }), e)
			return nil
		}
	}
	if err := rows(files, "activities", take("activities")); err != nil {
		return err
	}
	if err := rows(files, "more", take("more")); err != nil {
		return err
	}
	return rows(files, "properties", func(row func(string) string) error {
		act := fold(row("activityDisplayName"))
		if c.refined[act] == nil {
			c.refined[act] = map[string][]string{}
		}
		c.refined[act][fold(row("property"))] = list(row("acceptable_actions_any_of"), "|")
		return nil
	})
}

// readPlaces finds for each act its rows in Microsoft's table. A row whose roles are no roles of
// the directory (a group's owner) gives what further roles it names.
func (c *Catalog) readPlaces(files fs.FS) error {
	least := map[string][]string{}
	err := rows(files, "tasks", func(row func(string) string) error {
		var ids []string
		for _, id := range append(list(row("least_role_id"), ";"), list(row("additional_role_ids"), ";")...) {
			if c.byID[id] == nil {
				return fmt.Errorf("the task %s names the role %s, which is not known", row("task"), id)
			}
			ids = append(ids, id)
		}
		least[row("area")+": "+row("task")] = ids
		return nil
	})
	if err != nil {
		return err
	}
	return rows(files, "places", func(row func(string) string) error {
		task := row("area") + ": " + row("task")
		ids, ok := least[task]
		if !ok {
			return fmt.Errorf("no task is named %s", task)
		}
		act := fold(row("activityDisplayName"))
		c.places[act] = append(c.places[act], place{fold(row("property")), Target(row("target")), task, ids})
		return nil
	})
}

func (c *Catalog) readClasses(files fs.FS) error {
	return rows(files, "targets", func(row func(string) string) error {
		act := fold(row("activityDisplayName"))
		if c.classes[act] == nil {
			c.classes[act] = map[string]class{}
		}
		c.classes[act][fold(row("property"))] = class(row("class"))
		return nil
	})
}

// readCalls reads Partner Center's calls: by their own names, and by the operations of its audit records.
func (c *Catalog) readCalls(files fs.FS) error {
	byName := map[string]call{}
	err := rows(files, "partnercenter", func(row func(string) string) error {
		name, _, _ := strings.Cut(row("call"), " (")
		v := call{name: name, sure: "high", note: row("note")}
		for _, n := range list(row("any_one_of_these_gdap_roles"), ";") {
			// "none" and what names an action instead of roles stay without: nothing is to be derived from them.
			if k := c.byName[fold(n)]; k != nil {
				v.roles = append(v.roles, k.ID)
			}
		}
		byName[name] = v
		c.calls[fold(name)] = []call{v}
		return nil
	})
	if err != nil {
		return err
	}
	return rows(files, "partnercalls", func(row func(string) string) error {
		v, ok := byName[row("call")]
		if !ok {
			return fmt.Errorf("no call is named %s", row("call"))
		}
		v.target, v.sure = Target(row("target")), row("sure")
		op := fold(row("operationType"))
		c.calls[op] = append(c.calls[op], v)
		return nil
	})
}

// rows gives each row of a table as a function of its columns' names.
func rows(files fs.FS, name string, take func(row func(string) string) error) error {
	f, err := files.Open("data/" + name + ".csv")
	if err != nil {
		return err
	}
	defer f.Close()
	all, err := csv.NewReader(f).ReadAll()
	if err == nil && len(all) == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	at := map[string]int{}
	for i, c := range all[0] {
		at[c] = i
	}
	for n, line := range all[1:] {
		get := func(column string) string {
			if i, ok := at[column]; ok {
				return strings.TrimSpace(line[i])
			}
			return ""
		}
		if err := take(get); err != nil {
			return fmt.Errorf("%s, row %d: %w", name, n+2, err)
		}
	}
	return nil
}

// list splits at a separator, without what is empty.
func list(s, sep string) []string {
	var out []string
	for part := range strings.SplitSeq(s, sep) {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
