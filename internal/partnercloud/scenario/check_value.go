package scenario

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

func (c *checker) named(path, what, name string) {
	if strings.TrimSpace(name) == "" {
		c.fault(path, "add name", "a %s without a name", what)
	}
}

// once notes a name and refuses it a second time.
func (c *checker) once(path, what, name string, seen map[string]bool) {
	k := strings.ToLower(name)
	switch {
	case strings.TrimSpace(name) == "":
		c.fault(path, "add its name", "a %s without a name", what)
	case seen[k]:
		c.fault(path, "give it another name, or remove one of the two", "the %s %q is there twice", what, name)
	}
	seen[k] = true
}

func (c *checker) id(path, id string) {
	if id == "" {
		return
	}
	if !world.IsGUID(id) {
		c.fault(path, "write 8-4-4-4-12 hexadecimal digits, or leave it out", "%q is no id", id)
		return
	}
	c.unique(path, id)
}

func (c *checker) domain(path, d string) {
	if !domainLike(d) {
		c.fault(path, "write a domain: fabrikam.example", "%q is no domain", d)
		return
	}
	c.unique(path, d)
}

func (c *checker) unique(path, id string) {
	k := strings.ToLower(id)
	if where, ok := c.ids[k]; ok {
		c.fault(path, fmt.Sprintf("it is also on line %d: change one of the two", c.lines.of(where)), "%s is there twice", id)
		return
	}
	c.ids[k] = path
}

func domainLike(d string) bool {
	if len(d) > 253 || !strings.Contains(d, ".") {
		return false
	}
	for l := range strings.SplitSeq(d, ".") {
		if l == "" || len(l) > 63 || strings.Trim(strings.ToLower(l), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
	}
	return true
}

func (c *checker) roles(path string, list []string) {
	for i, r := range list {
		if _, ok := roleID(r); !ok {
			c.fault(fmt.Sprintf("%s[%d]", path, i), "use a built-in role's name or template id", "no role is called %q", r)
		}
	}
}

func (c *checker) groups(path string, list []string, known map[string]bool) {
	for i, v := range list {
		if !known[strings.ToLower(v)] {
			c.fault(fmt.Sprintf("%s[%d]", path, i), "add the group to the tenant's groups", "no group is called %q", v)
		}
	}
}

// each holds every text of a list to the allowed ones.
func (c *checker) each(path string, list []string, allowed ...string) {
	for i, v := range list {
		c.words(fmt.Sprintf("%s[%d]", path, i), v, allowed...)
	}
}

func (c *checker) words(path, v string, allowed ...string) {
	if v != "" && !slices.Contains(allowed, v) {
		c.fault(path, "write one of "+strings.Join(allowed, ", "), "%q is not known here", v)
	}
}

func (c *checker) moment(path string, m Moment) {
	if _, ok := m.at(time.Unix(0, 0)); !ok {
		c.fault(path, "write 2026-03-01, 2026-03-01T08:00:00Z, -90d or -36h", "%q is no moment", string(m))
	}
}

func (c *checker) share(path string, s Share) {
	if !(s >= 0 && s <= 1) {
		c.fault(path, "write a share from 0 to 1", "%v is no share", s)
	}
}

func (c *checker) upTo(path string, n, high int) {
	if n < 0 || n > high {
		c.fault(path, fmt.Sprintf("write a number from 0 to %d", high), "%d is too small or too large", n)
	}
}

func (c *checker) country(path, k string) {
	if k != "" && (len(k) != 2 || strings.Trim(k, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		c.fault(path, "write two capital letters: IE", "%q is no country code", k)
	}
}

func oneOf[T ~string](c *checker, path, v string, list []T) {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	c.words(path, v, words...)
}
