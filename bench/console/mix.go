package main

import (
	"context"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// pageOf is a page as people use it: the addresses that are asked for, each as often as
// it stands there. TENANT is a customer, NAME a person's family name, WORD of its name.
type pageOf struct {
	name   string
	weight int
	ways   []string
	opens  string // what the links of the page have that open a row; "" opens none
}

// mix is who asks for what. The weights are a guess at a working day: people first, what
// is broken next, what is proved seldom.
var mix = []pageOf{
	{"status", 12, []string{"", "", "", "verdict=not_met", "level=mandatory&verdict=unknown", "sort=-verdict"}, "row="},
	{"people", 24, []string{"", "", "", "", "proof=open", "factor=none&class=admin", "sort=account", "sort=-last", "sort=-unasked", "q=NAME", "q=NAME&proof=open",
		"page=3", "tenant=TENANT", "tenant=TENANT", "tenant=TENANT&proof=open", "class=guest&sort=factor"}, "row="},
	{"coverage", 8, []string{"", "", "tenant=TENANT"}, "cell="},
	{"coverage/decide", 2, []string{""}, ""},
	{"coverage/rehearse", 1, []string{""}, ""},
	{"signins", 10, []string{"", "", "verdict=not_challenged", "tenant=TENANT", "tenant=TENANT&verdict=not_challenged", "q=user7", "sort=-time", "span=7d"}, "row="},
	{"customers", 10, []string{"", "", "state=work", "sort=-ends", "q=WORD", "ends=30d", "page=2", "dap=yes&sort=customer"}, ""},
	{"customers/one", 4, []string{"tenant=TENANT"}, ""},
	{"connections", 2, []string{""}, ""},
	{"collection", 6, []string{"", "tenant=TENANT", "state=whole", "sort=-age"}, "row="},
	{"collection/tenants", 3, []string{"", "page=2", "q=WORD"}, ""},
	{"collection/gaps", 2, []string{"", "tenant=TENANT"}, "row="},
	{"collection/jobs", 2, []string{"", "sort=kind"}, "row="},
	{"automation", 2, []string{"", "q=NAME"}, "row="},
	{"exceptions", 3, []string{"", "", "sort=until", "q=owner7"}, "row="},
	{"alerts", 6, []string{"", "", "sort=-opened"}, "row="},
	{"alerts/channels", 1, []string{""}, ""},
	{"alerts/told", 1, []string{""}, ""},
	{"alerts/deadlines", 1, []string{""}, ""},
	{"trail", 4, []string{"", "", "q=anna", "actor=oidc:anna", "of=TENANT", "outcome=refused"}, "row="},
	{"search", 6, []string{"q=NAME", "q=WORD", "q=user12", "q=cov"}, ""},
	{"tenants", 2, []string{""}, ""},
	{"api/v1/people", 4, []string{"", "tenant=TENANT", "proof=open&size=1000", "q=NAME"}, ""},
	{"api/v1/customers", 2, []string{"", "state=work"}, ""},
	{"api/v1/status", 1, []string{""}, ""},
	{"people.csv", 1, []string{"tenant=TENANT", "tenant=TENANT", "tenant=TENANT", "tenant=TENANT", "tenant=TENANT", ""}, ""},
	{"customers.csv", 1, []string{""}, ""},
}

// asked is one page of the mix with what it opens, once that was looked at.
type asked struct {
	*pageOf
	links []string // of rows, from the page itself
}

// export says that a page's size is not bounded: it is a file, or a program's answer.
func (p *pageOf) export() bool {
	return strings.HasSuffix(p.name, ".csv") || strings.HasPrefix(p.name, "api/")
}

// slowFirst is when a first view is told.
const slowFirst = 250 * time.Millisecond

var href = regexp.MustCompile(`href="([^"]+)"`)

// look asks for every page once: those that are not there are left out, and of the rest
// the links that open a row are taken down. It is the warming up, and says what a first
// view takes.
func (s *served) look(ctx context.Context, c *client, only string) (list []asked, missing, slow []string, err error) {
	for i := range mix {
		p := &mix[i]
		if only != "" && !slices.Contains(strings.Split(only, ","), p.name) {
			continue
		}
		a := asked{pageOf: p}
		v := c.get(ctx, s.at, s.address(rand.New(rand.NewPCG(1, 2)), &a))
		if v.took > slowFirst {
			slow = append(slow, fmt.Sprintf("%s %s", p.name, v.took.Round(time.Millisecond)))
		}
		if v.status == http.StatusNotFound {
			missing = append(missing, p.name)
			continue
		}
		if v.err != nil || v.status != http.StatusOK {
			return nil, nil, nil, v.fault()
		}
		if p.opens != "" {
			for _, m := range href.FindAllStringSubmatch(string(v.body), -1) {
				u, err := url.Parse(html.UnescapeString(m[1]))
				if err == nil && u.Path == "/"+p.name && strings.Contains("&"+u.RawQuery, "&"+p.opens) && len(a.links) < 50 {
					a.links = append(a.links, u.RequestURI())
				}
			}
		}
		list = append(list, a)
	}
	return list, missing, slow, nil
}

// address is one of the page's addresses; a fifth opens a row.
func (s *served) address(r *rand.Rand, a *asked) string {
	if len(a.links) > 0 && r.IntN(5) == 0 {
		return a.links[r.IntN(len(a.links))]
	}
	q := a.ways[r.IntN(len(a.ways))]
	// Some customers are looked at more often than others.
	n := min(int(r.ExpFloat64()*float64(len(s.tenants))/6), len(s.tenants)-1)
	q = strings.NewReplacer("TENANT", s.tenants[n], "NAME", family[r.IntN(len(family))], "WORD", strings.Fields(trades[r.IntN(len(trades))])[0]).Replace(q)
	to := "/" + a.name
	if q != "" {
		to += "?" + q
	}
	return to
}

// pick takes a page by its weight.
func pick(r *rand.Rand, list []asked) *asked {
	sum := 0
	for i := range list {
		sum += list[i].weight
	}
	n := r.IntN(sum)
	for i := range list {
		if n -= list[i].weight; n < 0 {
			return &list[i]
		}
	}
	return &list[0]
}
