package render_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/delegation"
	"partnerguard/internal/delegation/render"
	"partnerguard/internal/entra"
	"partnerguard/internal/print"
)

// world has people in groups that customers' relationships give roles to; text is in every
// name.
func world(people, groups, customers int, text string) *delegation.Inventory {
	inv := &delegation.Inventory{AsOf: time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC), Groups: map[string]*delegation.Group{},
		People: map[string]*delegation.Person{}, Lists: map[string]delegation.ListRead{"groups": {Why: text, Ask: "GET /groups"}}}
	for n := range groups {
		g := &delegation.Group{ID: fmt.Sprint("g", n), Name: fmt.Sprint("Group ", n, text), Known: true, Whole: n%2 == 0, Why: text}
		for k := range people {
			if k%groups == n || k%5 == 0 {
				id := fmt.Sprint("p", k)
				inv.People[id] = &delegation.Person{ID: id, Name: fmt.Sprint("Person ", k, text), UPN: text, Enabled: delegation.Yes, Known: true}
				m := delegation.Member{Person: id, Eligible: k%3 == 0, Perhaps: k%7 == 0}
				if k%2 == 0 {
					m.Via = []string{"inner"}
				}
				g.Members = append(g.Members, m)
			}
		}
		inv.Groups[g.ID] = g
	}
	inv.Groups["inner"] = &delegation.Group{ID: "inner", Name: "Inner" + text, Known: true, Whole: true}
	for n := range customers {
		c := delegation.Customer{Tenant: fmt.Sprint("c", n), Name: fmt.Sprint("Customer ", n, text), DAP: delegation.Unknown, DAPWhy: text}
		roles := []string{entra.RoleGlobalAdministrator, entra.RoleHelpdeskAdministrator, text}
		c.Relationships = []delegation.Relationship{{ID: fmt.Sprint("r", n), Name: text + fmt.Sprint(n), Status: text, Active: true, Roles: roles,
			Read: delegation.Yes, Assignments: []delegation.Assignment{{ID: text, Group: fmt.Sprint("g", n%groups), Active: true, Roles: roles, Status: text}}}}
		inv.Customers = append(inv.Customers, c)
	}
	return inv
}

// drawn is a picture that must be well-formed, and its nodes and texts.
func drawn(t *testing.T, inv *delegation.Inventory) (*render.Picture, string) {
	t.Helper()
	ways := delegation.Ask(inv, delegation.Question{})
	p := render.Draw(inv, &ways)
	var b bytes.Buffer
	if err := p.SVG(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	d := xml.NewDecoder(&b)
	for {
		_, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
	}
	return p, text
}

// TestPictureStaysReadable: with five ways and with thousands no layer has more boxes than fit,
// boxes do not lie on each other, edges go to the right, and all people are in some box.
func TestPictureStaysReadable(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]int{{1, 1, 1}, {5, 2, 2}, {60, 5, 3}, {400, 40, 200}} {
		p, text := drawn(t, world(c[0], c[1], c[2], ""))
		seen := map[string]bool{}
		per := map[int]int{}
		for i := range p.Nodes {
			n := &p.Nodes[i]
			at := fmt.Sprint(n.X, " ", n.Y)
			if seen[at] {
				t.Errorf("%v: two boxes at %s", c, at)
			}
			seen[at] = true
			per[n.Layer]++
		}
		for layer, n := range per {
			if n > 18 {
				t.Errorf("%v: layer %d has %d boxes", c, layer, n)
			}
		}
		for i := range p.Edges {
			e := &p.Edges[i]
			if p.Nodes[e.From].X >= p.Nodes[e.To].X {
				t.Errorf("%v: an edge goes back", c)
			}
		}
		if len(text) > 200_000 || !strings.Contains(text, "Global Administrator") {
			t.Errorf("%v: %d bytes", c, len(text))
		}
		if c[0] == 400 && !strings.Contains(text, " people<") {
			t.Errorf("%v: people with the same ways are not drawn as one", c)
		}
	}
}

// TestPictureIsTheSame: the same ways give the same picture.
func TestPictureIsTheSame(t *testing.T) {
	t.Parallel()
	_, first := drawn(t, world(60, 7, 9, ""))
	for range 5 {
		if _, again := drawn(t, world(60, 7, 9, "")); again != first {
			t.Fatal("it differs")
		}
	}
}

var bad = []string{`</text><script>alert(1)</script>`, `"onload="alert(1)`, "\x00\x1b[31m\u202e", `=cmd|' /C calc'!A1`, "&amp;<![CDATA[",
	strings.Repeat("w", 9000),
	"]]>", "<style>@import 'x'</style>", "\ufffe\uffff\xff"}

// TestHostile: what others wrote steers no reader of a picture, no terminal and no spreadsheet.
func TestHostile(t *testing.T) {
	t.Parallel()
	for _, s := range bad {
		inv := world(6, 2, 2, s)
		_, text := drawn(t, inv)
		if n := strings.Count(text, "<style>"); n != 1 || strings.Contains(text, "<script") || strings.Contains(text, "onload=\"") || len(text) > 200_000 {
			t.Errorf("%.40q: the picture holds it: %d bytes", s, len(text))
		}
		ways := delegation.Ask(inv, delegation.Question{})
		for name, write := range map[string]func(io.Writer) error{
			"list": func(w io.Writer) error { return render.ListText(w, inv, print.Options{Width: 80}) },
			"customer": func(w io.Writer) error {
				return render.CustomerText(w, inv, &inv.Customers[0], print.Options{Width: 80})
			},
			"ways": func(w io.Writer) error { return render.WaysText(w, inv, &ways, print.Options{Width: 80}) },
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			if strings.ContainsAny(b.String(), "\x00\x1b\u202e") {
				t.Errorf("%.40q: %s steers the terminal: %.300q", s, name, b.String())
			}
		}
		for name, write := range map[string]func(io.Writer) error{
			"list": func(w io.Writer) error { return render.ListCSV(w, inv) },
			"ways": func(w io.Writer) error { return render.WaysCSV(w, inv, &ways) },
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(&b).ReadAll()
			if err != nil || len(rows) < 3 {
				t.Fatalf("%s: %d rows, %v", name, len(rows), err)
			}
			for _, row := range rows {
				for _, cell := range row {
					if strings.HasPrefix(cell, "=") {
						t.Errorf("%s: a spreadsheet runs %.60q", name, cell)
					}
				}
			}
		}
		if b, err := json.Marshal(ways); err != nil || len(b) == 0 {
			t.Error(err)
		}
	}
}

// TestListText says what is known, and never calls what was not read none.
func TestListText(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := render.ListText(&b, world(3, 1, 2, ""), print.Options{Width: 100}); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, want := range []string{"2 customers: DAP, which is Global Administrator, at 0", "Customer 0", "not read", "1 of 1 active",
		"Global Administrator", "GET /groups"} {
		if !strings.Contains(got, want) {
			t.Errorf("it does not say %q:\n%s", want, got)
		}
	}
}

func FuzzPicture(f *testing.F) {
	for _, s := range bad {
		f.Add(s, 3)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 1 + (n&0xff)%30
		drawn(t, world(n, 1+n%4, 1+n%5, s))
	})
}
