package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gen FACTS DATA")
		os.Exit(2)
	}
	from, to := os.Args[1], os.Args[2]
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(os.Stderr, "gen: %s is not there; the role data stays as it is\n", from)
		return
	}
	if err := run(from, to); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	if err := roles(from, to); err != nil {
		return err
	}
	// The licence says to stand beside every copy.
	license, err := os.ReadFile(filepath.Join(from, "azure-privileged-iam", "LICENSE"))
	if err != nil {
		return err
	}
	if err := write(filepath.Join(to, "roles.LICENSE"), license); err != nil {
		return err
	}
	for _, t := range []struct {
		in, out string
		columns []string
	}{
		{
			"least-privileged-roles-by-task.csv", "tasks.csv",
			[]string{"area", "task", "least_privileged_role", "least_role_id", "kind", "additional_roles", "additional_role_ids"},
		},
		{"activity-to-action.csv", "activities.csv", []string{"category", "activityDisplayName", "acceptable_actions_any_of", "sure", "note"}},
		{"partner-center-api-gdap-roles.csv", "partnercenter.csv", []string{"call", "any_one_of_these_gdap_roles", "note"}},
	} {
		if err := table(filepath.Join(from, t.in), filepath.Join(to, t.out), t.columns); err != nil {
			return err
		}
	}
	return nil
}

// definition is a role as the source has it.
type definition struct {
	RoleID       string `json:"RoleId"`
	RoleName     string
	IsPrivileged bool `json:"isPrivileged"`
	// AssignmentMode is systemAssigned for what is given to nobody by hand.
	AssignmentMode          string
	InheritsPermissionsFrom []string
	RolePermissions         []struct {
		AuthorizedResourceAction string
	}
}

// kept is a role as the catalog reads it.
type kept struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Privileged bool     `json:"privileged,omitempty"`
	System     bool     `json:"systemAssigned,omitempty"`
	Inherits   []string `json:"inherits,omitempty"`
	Actions    []string `json:"actions"`
}

func roles(from, to string) error {
	raw, err := os.ReadFile(filepath.Join(from, "azure-privileged-iam", "Classification_EntraIdDirectoryRoles.json"))
	if err != nil {
		return err
	}
	var in []definition
	if err := json.Unmarshal(raw, &in); err != nil {
		return err
	}
	out := make([]kept, 0, len(in))
	for _, d := range in {
		k := kept{ID: strings.ToLower(d.RoleID), Name: d.RoleName, Privileged: d.IsPrivileged, System: d.AssignmentMode == "systemAssigned"}
		for _, id := range d.InheritsPermissionsFrom {
			k.Inherits = append(k.Inherits, strings.ToLower(id))
		}
		k.Actions = []string{}
		for _, p := range d.RolePermissions {
			if p.AuthorizedResourceAction != "" {
				k.Actions = append(k.Actions, p.AuthorizedResourceAction)
			}
		}
		slices.Sort(k.Actions)
		k.Actions = slices.Compact(k.Actions)
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b kept) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	raw, err = json.MarshalIndent(out, "", " ")
	if err != nil {
		return err
	}
	return write(filepath.Join(to, "roles.json"), append(raw, '\n'))
}

// table copies the named columns of a CSV.
func table(in, out string, columns []string) error {
	f, err := os.Open(in)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", in, err)
	}
	if len(rows) == 0 {
		return fmt.Errorf("%s is empty", in)
	}
	var at []int
	for _, c := range columns {
		i := slices.Index(rows[0], c)
		if i < 0 {
			return fmt.Errorf("%s has no column %s", in, c)
		}
		at = append(at, i)
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	for _, row := range rows {
		var cells []string
		for _, i := range at {
			cells = append(cells, row[i])
		}
		_ = w.Write(cells) // kept, and told by w.Error
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return err
	}
	return write(out, b.Bytes())
}

// write writes a file when it would differ.
func write(name string, data []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return os.WriteFile(name, data, 0o644) //nolint:gosec // source text of the repository
}
