package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/delegation/role"
	"partnerguard/internal/delegation/use"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
)

// end is the window's end.
var end = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

func id(kind, n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", kind, n) }

// activities are what the staff does, in the log's words.
var activities = []struct{ category, name string }{{"UserManagement", "Change user license"}, {"UserManagement", "Reset user password"},
	{"GroupManagement", "Add group"}, {"UserManagement", "Add user"}, {"Policy", "Update conditional access policy"}}

// granted is what each group has, as Microsoft's transition gave it.
var granted = []string{entra.RoleUserAdministrator, entra.RoleGlobalAdministrator, entra.RoleDirectoryReaders, entra.RoleExchangeAdministrator}

// write makes the stored parts of a partner: its inventory, and of each customer what was seen
// there, a line each, as snapshots have them.
func write(dir string, z size) (err error) {
	inv := &delegation.Inventory{AsOf: end, Groups: map[string]*delegation.Group{}, People: map[string]*delegation.Person{}}
	for g := range z.groups {
		x := &delegation.Group{ID: id(2, g), Name: fmt.Sprint("Group ", g), Known: true, Whole: true, Pim: delegation.Yes}
		for p := range 10 {
			x.Members = append(x.Members, delegation.Member{Person: id(3, g*10+p)})
		}
		inv.Groups[x.ID] = x
	}
	f, err := os.Create(filepath.Join(dir, "parts"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := bufio.NewWriterSize(f, 1<<20)
	to := json.NewEncoder(b)
	for c := range z.customers {
		r := delegation.Relationship{ID: id(4, c), Active: true, Activated: end.AddDate(-1, 0, 0), Read: delegation.Yes, Roles: granted}
		for g := range z.groups {
			r.Assignments = append(r.Assignments, delegation.Assignment{ID: id(5, g), Group: id(2, g), Active: true, Roles: granted})
		}
		inv.Customers = append(inv.Customers, delegation.Customer{Tenant: id(1, c), Name: fmt.Sprint("Customer ", c), DAP: delegation.No,
			Relationships: []delegation.Relationship{r}})
		if err := to.Encode(seen(c, z)); err != nil {
			return err
		}
	}
	if err := b.Flush(); err != nil {
		return err
	}
	raw, err := json.Marshal(inv)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "inventory"), raw, 0o600)
}

// seen is what was seen at a customer in 90 days: half of the activities by somebody of each
// group, each on 20 days.
func seen(c int, z size) *use.Part {
	p := &use.Part{Tenant: id(1, c), Logs: []use.Log{{Kind: evidence.DirectoryAudit, Read: true, Live: true,
		Spans: []use.Span{{From: end.AddDate(-1, 0, 0), To: end}}}}}
	each := max(z.acts/z.groups/len(activities), 1)
	for g := range z.groups {
		for k := range activities {
			a := activities[(c+k)%len(activities)]
			x := use.Act{Actor: id(3, g*10+c%10), Count: int64(each), First: end.AddDate(0, 0, -80), Last: end.AddDate(0, 0, -1),
				Act: role.Act{Log: string(evidence.DirectoryAudit), Category: a.category, Activity: a.name, Target: role.TargetOrdinary}}
			for d := range int64(min(each, 20)) {
				x.Days = append(x.Days, use.Day{end.Unix()/86400 - 4*(20-d), max(1, int64(each)/20)})
			}
			p.Acts = append(p.Acts, x)
		}
	}
	return p
}

// work is the process that is measured: it derives what is needed, or decodes alone.
func work(what, dir string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "inventory"))
	if err != nil {
		return err
	}
	in := recommend.Input{Inventory: new(delegation.Inventory), Use: map[string]*use.Part{}, To: end}
	if err := json.Unmarshal(raw, in.Inventory); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(dir, "parts"))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		p := new(use.Part)
		if err := json.Unmarshal(lines.Bytes(), p); err != nil {
			return err
		}
		in.Use[p.Tenant] = p
	}
	if err := lines.Err(); err != nil || what == "decode" {
		return err
	}
	r := recommend.Run(in)
	if r.Summary.Refused != 0 || r.Summary.Judged != len(r.Items) {
		return fmt.Errorf("of %d assignments %d were judged, and %d acts would have been refused", len(r.Items), r.Summary.Judged, r.Summary.Refused)
	}
	fmt.Printf("%d %d\n", r.Summary.Items, r.Summary.Acts)
	return nil
}
