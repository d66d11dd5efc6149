package portal

import (
	"bytes"
	_ "embed" // the template
	"encoding/csv"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/partnercloud/skin"
	"partnerguard/internal/partnercloud/world"
	"partnerguard/internal/print"
	"partnerguard/internal/sheet"
)

//go:embed page.tmpl
var pageText string

var writePage = skin.Renderer(pageText, nil)

// view is what the template shows.
type view struct {
	Title, Kind, Message string
	User, CSRF, Where    string
	MFA, Again           bool
	AMR                  string
	Logout               string
	Now                  string
	Partner              string
	May                  offered

	Metrics  []metric
	Options  [][2]string
	Plots    []*page.Plot
	Reqs     []requirement
	Score    int
	Max      int
	History  []scoreDay
	Rows     []customerRow
	Search   string
	Pages    pages
	Customer *customerView
	Stages   [][2]string
	Invite   *invitation
	Reseller *resellerOffer
	Admin    bool // a page of the admin center
}

// offered are the pages that the person may see: what would be refused is not
// offered.
type offered struct{ Status, Score, Customers bool }

type metric struct {
	Title, Value, Detail string
	Said                 page.Said
}

type scoreDay struct {
	Day   string
	Score string
}

// show renders a page whole before anything is written.
func (p *Portal) show(w http.ResponseWriter, r *http.Request, status int, v view) {
	v.Now = p.world.Clock.Now().UTC().Format("2 January 2006, 15:04 UTC")
	v.Where = r.URL.Path
	who, found := p.session(r)
	p.world.Read(func(s *world.State) {
		if t := s.PartnerTenant(); t != nil {
			v.Partner = t.Name
			if now := p.world.Clock.Now(); found && v.User != "" {
				v.May = offered{securityViewers.admits(t, who.user, now), scoreViewers.admits(t, who.user, now), agents.admits(t, who.user, now)}
			}
		}
	})
	var out bytes.Buffer
	if err := writePage(&out, v); err != nil {
		p.log.LogAttrs(r.Context(), slog.LevelError, "page", slog.String("path", r.URL.Path), slog.Any("err", err))
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}

func (p *Portal) give(v *visit, x view) {
	x.User, x.CSRF, x.MFA, x.AMR = v.user.Name, v.session.csrf, v.session.mfa, strings.Join(v.session.amr, ", ")
	p.show(v.w, v.r, http.StatusOK, x)
}

func (p *Portal) missing(v *visit) {
	p.show(v.w, v.r, http.StatusNotFound, view{Title: "There is no such customer", Kind: "message", User: v.user.Name, CSRF: v.session.csrf,
		Message: "The partner has no customer of this id."})
}

func (p *Portal) home(v *visit) { p.give(v, view{Title: "Overview", Kind: "home"}) }

// share writes a share so that it is 100 % only when nothing is missing.
func share(n, of int) string {
	if of == 0 {
		return "–"
	}
	tenths := n * 1000 / of
	if tenths%10 == 0 {
		return strconv.Itoa(tenths/10) + " %"
	}
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}

// said is how a share is judged.
func said(n, of int) page.Said {
	switch {
	case of == 0:
		return page.Said{Tone: print.Muted, Word: "no data"}
	case n == of:
		return page.Said{Tone: print.Good, Word: "complete"}
	}
	return page.Said{Tone: print.Bad, Word: "not complete"}
}

// plot draws each day's requests, those with MFA below; count gives those with
// MFA and all.
func plot(id, title, head string, list []day, count func(day) (int, int)) *page.Plot {
	p := &page.Plot{ID: id, Title: title, Head: []string{"Day", head, "with MFA"}, Nothing: "There were no such requests in these 7 days."}
	columns := make([]page.Column, len(list))
	var rows [][]string
	yes, all := 0, 0
	for i, d := range list {
		y, n := count(d)
		yes, all = yes+y, all+n
		columns[i] = page.Column{Name: d.Date.Format("Mon 2 Jan"), Tick: d.Date.Format("2 Jan"), Values: []int64{int64(y), int64(n - y)}}
		rows = append(rows, []string{columns[i].Name, number(n), share(y, n)})
	}
	if all > 0 {
		p.Summary = share(yes, all) + " of " + number(all) + " requests carried MFA."
		p.Columns([]page.Key{{Class: "f-asked", Label: "with MFA"}, {Class: "f-open", Fill: "hatch", Label: "without MFA"}}, columns, "", "", false)
	}
	p.Rows = rows
	return p
}

func number(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

func (p *Portal) requirements(v *visit) {
	all := p.people([]string{v.session.tenant})
	t := p.traffic()
	sum := t.sum()
	x := view{Title: "Partner security requirements status", Kind: "requirements"}
	if len(all) == 1 {
		u := all[0]
		x.Metrics = append(x.Metrics, metric{"Users with MFA enforced", share(u.asked, u.users), number(u.asked) + " of " + number(u.users) +
			" enabled users are asked for MFA by the settings below", said(u.asked, u.users)})
		on := "off"
		if u.defaults {
			on = "on"
		}
		x.Options = [][2]string{{"Security defaults", on}, {"Conditional Access policies that ask for MFA", number(u.policies)},
			{"Users with per-user MFA", number(u.perUser)}}
	}
	x.Metrics = append(x.Metrics, metric{"Portal requests with MFA", share(sum.PortalMFA, sum.Portal), number(sum.PortalMFA) + " of " + number(sum.Portal) +
		" requests in 7 days", said(sum.PortalMFA, sum.Portal)})
	x.Metrics = append(x.Metrics, metric{"API requests with MFA", share(sum.APIMFA, sum.API), number(sum.APIMFA) + " of " + number(sum.API) +
		" app+user requests in 7 days; app-only requests are not counted", said(sum.APIMFA, sum.API)})
	x.Plots = []*page.Plot{
		plot("portal", "Portal requests by day", "Portal", t.days, func(d day) (int, int) { return d.PortalMFA, d.Portal }),
		plot("api", "API requests by day", "API", t.days, func(d day) (int, int) { return d.APIMFA, d.API }),
	}
	p.world.Read(func(s *world.State) {
		now := s.Clock.Now()
		for _, e := range []struct {
			name string
			a    world.Activation
		}{{"Delegated administration (AOBO)", s.Enforcement.AOBO}, {"Partner Center portal", s.Enforcement.Portal},
			{"Partner Center APIs", s.Enforcement.API}} {
			words := map[string]string{
				world.StageNone: "no MFA is asked for", world.StageAnnounced: "announced", world.StageReported: "reported, nothing is refused",
				world.StageRamping:  fmt.Sprintf("enforced for %.0f %% of the requests without MFA, rising", e.a.Share(now)*100),
				world.StageEnforced: "enforced for every request",
			}[e.a.Stage(now)]
			x.Stages = append(x.Stages, [2]string{e.name, words})
		}
	})
	p.give(v, x)
}

func (p *Portal) score(v *visit) {
	var ids []string
	var contact bool
	var hours float64
	var alerts, azure, budgets int
	x := view{Title: "Security requirements", Kind: "score"}
	p.world.Read(func(s *world.State) {
		t := s.PartnerTenant()
		contact = t.SecurityContact != ""
		hours, alerts = t.ResponseHours(v.now)
		for c := range t.Customers.All() {
			if c.Relationship == "none" {
				continue
			}
			ids = append(ids, c.TenantID)
			if slices.ContainsFunc(c.Subscriptions, func(s world.Subscription) bool { return s.AzurePlan && s.Status == "active" }) {
				azure++
				if c.Budget != nil {
					budgets++
				}
			}
		}
		for _, h := range t.ScoreHistory[max(0, len(t.ScoreHistory)-14):] {
			x.History = append(x.History, scoreDay{h.At.UTC().Format("2 Jan 2006"), strconv.FormatFloat(h.Score, 'f', -1, 64)})
		}
	})
	slices.Reverse(x.History)
	own := p.people([]string{v.session.tenant})
	good := 0
	theirs := p.people(ids)
	for _, t := range theirs {
		if t.admins == t.adminsAsked {
			good++
		}
	}
	full := func(met bool) int {
		if met {
			return world.ScorePoints
		}
		return 0
	}
	if len(own) == 1 {
		u := own[0]
		x.Reqs = append(x.Reqs, requirement{"mfaEnforcedForAdmins", "MFA for every account with an administrator role", "mandatory", number(u.adminsAsked) +
			" of " + number(u.admins) + " administrators are asked for MFA", u.admins == u.adminsAsked, world.ScorePart(u.adminsAsked, u.admins),
			world.ScorePoints})
	}
	held := "A security contact is on file"
	if !contact {
		held = "No security contact is on file"
	}
	waited := "No alerts in 30 days"
	if alerts > 0 {
		waited = fmt.Sprintf("%s alerts in 30 days, answered after %.1f hours on average", number(alerts), hours)
	}
	x.Reqs = append(x.Reqs,
		requirement{"securityContactProvided", "A security contact", "mandatory", held, contact, full(contact), world.ScorePoints},
		requirement{"securityAlertsPromptlyResolved", "Alerts answered within 24 hours on average", "mandatory, except for indirect resellers", waited,
			hours <= world.ResponseGoal, full(hours <= world.ResponseGoal), world.ScorePoints},
		requirement{"mfaEnforcedForAdminsOfCustomers", "MFA for administrators in customers' tenants", "recommended", number(good) + " of " +
			number(len(theirs)) + " customers ask every administrator for MFA", good == len(theirs), world.ScorePart(good, len(theirs)), world.ScorePoints},
		requirement{"spendingBudgetSetForCustomerAzureSubscriptions", "A spending budget for every customer with Azure", "recommended",
			number(budgets) + " of " + number(azure) + " customers with Azure have a budget", budgets == azure, world.ScorePart(budgets, azure),
			world.ScorePoints},
	)
	for _, r := range x.Reqs {
		x.Score += r.Score
		x.Max += r.Max
	}
	p.give(v, x)
}

type customerRow struct {
	ID, Name, Domain, Access string
}

type pages struct {
	Total, First, Last int
	Previous, Next     string
}

const perPage = 25

func accessOf(p *world.Tenant, c *world.Customer, now time.Time) string {
	gdap := 0
	for r := range p.Relationships.All() {
		if strings.EqualFold(r.Customer, c.TenantID) && r.StatusAt(now) == "active" {
			gdap++
		}
	}
	switch {
	case c.DAP && gdap > 0:
		return "DAP and GDAP"
	case c.DAP:
		return "DAP"
	case gdap > 0:
		return "GDAP"
	}
	return "none"
}

func (p *Portal) customers(v *visit) {
	q := v.r.URL.Query()
	search := strings.TrimSpace(q.Get("q"))
	if len(search) > 100 {
		search = search[:100]
	}
	search = strings.ToValidUTF8(search, "")
	n, err := strconv.Atoi(q.Get("page"))
	if err != nil || n < 1 || n > 1_000_000 {
		n = 1
	}
	x := view{Title: "Customers", Kind: "customers", Search: search}
	p.world.Read(func(s *world.State) {
		t := s.PartnerTenant()
		var rows []*world.Customer
		want := strings.ToLower(search)
		for c := range t.Customers.All() {
			if c.Relationship != "none" && (want == "" || strings.Contains(strings.ToLower(c.Name), want) ||
				strings.Contains(strings.ToLower(c.Domain), want)) {
				rows = append(rows, c)
			}
		}
		start := min((n-1)*perPage, len(rows))
		end := min(start+perPage, len(rows))
		for _, c := range rows[start:end] {
			x.Rows = append(x.Rows, customerRow{c.TenantID, c.Name, c.Domain, accessOf(t, c, v.now)})
		}
		x.Pages = pages{Total: len(rows), First: start + 1, Last: end}
		at := func(n int) string {
			return "/customers?" + url.Values{"q": {search}, "page": {strconv.Itoa(n)}}.Encode()
		}
		if n > 1 {
			x.Pages.Previous = at(n - 1)
		}
		if end < len(rows) {
			x.Pages.Next = at(n + 1)
		}
	})
	p.give(v, x)
}

type customerView struct {
	customerRow
	Country, Budget string
	Rights          []string
	By              string
	Subscriptions   [][3]string
	Entered         *entered
}

type entered struct {
	At, By string
	MFA    bool
	Roles  []string
}

func (p *Portal) customer(v *visit) {
	id := strings.ToLower(v.r.PathValue("id"))
	var x *customerView
	p.world.Read(func(s *world.State) {
		t := s.PartnerTenant()
		c := t.Customers.Get(id)
		if c == nil || c.Relationship == "none" {
			return
		}
		x = &customerView{customerRow: customerRow{c.TenantID, c.Name, c.Domain, accessOf(t, c, v.now)}, Country: c.Country, Budget: "none"}
		if c.Budget != nil {
			x.Budget = strconv.FormatFloat(*c.Budget, 'f', 2, 64) + " " + c.Currency
		}
		for _, sub := range c.Subscriptions {
			x.Subscriptions = append(x.Subscriptions, [3]string{sub.Name, strconv.Itoa(sub.Quantity), sub.Status})
		}
		if ct := s.Tenant(id); ct != nil {
			if d, found := s.Delegated(v.user, ct); found {
				x.By = "DAP"
				if d.GDAP {
					x.By = "GDAP"
				}
				x.Rights = names(d.Roles)
			}
		}
	})
	if x == nil {
		p.missing(v)
		return
	}
	if e, found := v.session.inside[id]; found {
		x.Entered = &entered{e.at.UTC().Format("2 January 2006, 15:04 UTC"), strings.ToUpper(e.kind), e.mfa, names(e.roles)}
	}
	p.give(v, view{Title: x.Name, Kind: "customer", Customer: x})
}

// names gives roles their names where the world knows them.
func names(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = world.RoleName(id)
	}
	slices.Sort(out)
	return out
}

// sheet writes a download. Cells that a spreadsheet would take for a formula get
// an apostrophe in front.
func (p *Portal) sheet(v *visit, name string, head []string, rows func(write func(...string))) {
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	out := csv.NewWriter(v.w)
	_ = out.Write(head)
	rows(func(cells ...string) {
		for i, c := range cells {
			cells[i] = safeCell(c)
		}
		_ = out.Write(cells)
	})
	out.Flush()
}

// safeCell keeps a cell from being a formula, and from holding what no cell may.
func safeCell(c string) string {
	formula := sheet.Formula(c)
	c = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(c, "?"))
	if formula {
		return string(sheet.Guard) + c
	}
	return c
}

const csvTime = "2006-01-02T15:04:05.999Z"

// maxRows bounds the download of all requests, as published.
const maxRows = 10_000

func (p *Portal) portalCSV(v *visit) {
	t := p.traffic()
	p.sheet(v, "portal-requests-without-mfa.csv", []string{"dateTimeUtc", "upn", "objectId", "tenantId", "ipAddress", "operationName", "requestId"},
		func(write func(...string)) {
			n := 0
			for _, r := range t.rows {
				if r.Portal && !r.MFA && n < maxRows {
					write(r.At.UTC().Format(csvTime), r.UPN, r.UserID, r.TenantID, r.IP, r.Operation, r.ID)
					n++
				}
			}
		})
}

func (p *Portal) summaryCSV(v *visit) {
	t := p.traffic()
	p.sheet(v, "api-request-summary.csv", []string{"loginDate", "applicationId", "applicationName", "mfaCompliantRequestCount", "totalRequestCount"},
		func(write func(...string)) {
			for _, s := range t.summary() {
				write(s.day, s.app, s.name, strconv.Itoa(s.mfa), strconv.Itoa(s.total))
			}
		})
}

func (p *Portal) apiCSV(v *visit) {
	t := p.traffic()
	p.sheet(v, "api-requests.csv", []string{"dateTimeUtc", "upn", "objectId", "tenantId", "applicationId", "ipAddress", "operationName", "mfaCompliant",
		"requestId", "correlationId"}, func(write func(...string)) {
		n := 0
		for _, r := range t.rows {
			if !r.Portal && n < maxRows {
				write(r.At.UTC().Format(csvTime), r.UPN, r.UserID, r.TenantID, r.AppID, r.IP, r.Operation, strconv.FormatBool(r.MFA), r.ID, r.Correlation)
				n++
			}
		}
	})
}
