package render

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/doctor"
	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

const tableHead = `# What to export

Made by ` + "`go generate ./internal/doctor/...`" + ` from the tables that also drive ` + "`partnerguard export plan`" + ` and
` + "`partnerguard export check`" + `: change internal/evidence/request_*.go and toll.go instead. [real-tenant.md](real-tenant.md) walks
from a clone to a first report; [answers.md](answers.md) documents the JSON of both commands.

    partnerguard export plan --licence p1                       # what to ask for, as lines to paste
    partnerguard export plan --output powershell > export.ps1   # all of it as one script
    partnerguard export check exports/                          # is it enough? exit code 3 says no

How to read this page:

- Permissions are those of least privilege on Microsoft Graph, by name, delegated and application alike. All read, none
  writes. Partner Center takes App+User tokens (` + "`user_impersonation`" + `), see [sam.md](sam.md); an indirect reseller has no access
  to its API.
- "Every page" means that the last page has no next link.
- A time is what Microsoft's published limit leaves, at least, without the network and without other programs that share the limit.
  It is computed; none of it was measured against Microsoft's cloud. Where a page size is not published, no time is given.
- "Goes wrong" gives the words of ` + "`export check`" + `. Each line is reproduced by a test.
- The PowerShell lines stand on the first block that ` + "`partnerguard export plan`" + ` prints. An answer that is saved as it came is read
  as well, whatever made the request: ` + "`az rest --method get --url ADDRESS > FILE`" + ` for what comes in one answer (it follows no link).

`

const tableWrong = `## What goes wrong with every list

- **The first page alone.** The file ends with a next link, or holds exactly 100 or 999 records. Such a list is ` + "`partial`" + `, and what it
  does not hold is unknown, not absent.
- **Objects of an SDK.** ` + "`Get-Mg…`" + ` without ` + "`-All`" + ` reads one page; ` + "`ConvertTo-Json`" + ` without ` + "`-Depth 10`" + ` writes the names of types where
  values were; ` + "`Export-Csv`" + ` does so in every cell that is not plain text. What came through whole is read ([inputs.md](inputs.md)).
- **A portal's table.** Portals leave columns out and stop at a size. Read where it is the only way; the request says more.
- **A table saved again by Excel.** Clocks lose their zone and days their order. Save what was downloaded.
- **A refusal saved as an answer.** A 403 is evidence: the list is ` + "`absent`" + `, and the file is listed with Microsoft's code and what it
  means (no Entra ID P1, a missing permission).
- **Members by ` + "`$expand`" + `.** It gives 20 at most and says nothing of the rest: a group with exactly 20 expanded members is ` + "`partial`" + `.

`

// Table writes every request, which rules use it and what it takes, as Markdown.
// A test holds docs/exports.md to it.
func Table(w io.Writer) error {
	plans := map[evidence.Kind]*doctor.PlanFile{}
	for _, l := range []evidence.Licence{evidence.P2, evidence.Free} { // Free adds what only a tenant without P1 needs
		p, err := doctor.MakePlan(doctor.Options{AsOf: partner.Revised.Time, Licence: l})
		if err != nil {
			return err
		}
		for i := range p.Files {
			if plans[p.Files[i].Kind] == nil {
				plans[p.Files[i].Kind] = &p.Files[i]
			}
		}
	}
	b := bufio.NewWriter(w)
	b.WriteString(tableHead)
	overview(b)
	b.WriteString(tableWrong)
	for _, part := range []struct {
		title   string
		service evidence.Service
	}{{"Microsoft Graph", evidence.Graph}, {"Partner Center", evidence.PartnerCenter}, {"Exchange Online", evidence.ExchangeOnline}} {
		fmt.Fprintf(b, "## %s\n\n", part.title)
		for _, r := range evidence.Requests() {
			if r.Service == part.service {
				section(b, &r, plans[r.Kind])
			}
		}
	}
	b.WriteString("## No request gives these\n\nThey are read where they come, from other tools or earlier exports.\n\n")
	for _, k := range evidence.KindsWithoutRequest() {
		fmt.Fprintf(b, "- `%s`: %s\n", k, evidence.WhyNoRequest(k))
	}
	return b.Flush()
}

// overview is one line a file, to find it by.
func overview(b io.Writer) {
	fmt.Fprint(b, "## All files\n\n| file | permission or role | licence | decides |\n| --- | --- | --- | --- |\n")
	for _, r := range evidence.Requests() {
		by := strings.Join(r.Permissions, ", ")
		if by == "" {
			by = strings.Join(r.Roles, " or ")
		}
		needs, may, _ := usedBy(r.Kind)
		decides := strconv.Itoa(len(needs)) + " requirements"
		switch {
		case len(needs) == 1:
			decides = "1 requirement"
		case len(needs) == 0 && len(may) > 0:
			decides = "when " + r.When
		case len(needs) == 0:
			decides = "helps"
		}
		fmt.Fprintf(b, "| [`%s`](#%s) | %s | %s | %s |\n", r.File, anchor(r.File), by, licenceWord(r.Licence), decides)
	}
	fmt.Fprint(b, "\n")
}

// anchor is the fragment that Markdown gives the heading of a file.
func anchor(file string) string {
	return strings.ReplaceAll(strings.ToLower(file), ".", "")
}

// section tells all of one request. f is the plan's file, nil when no plan of the
// present rule book has it.
func section(b io.Writer, r *evidence.Request, f *doctor.PlanFile) {
	fmt.Fprintf(b, "### %s\n\n", r.File)
	item := func(name, text string) {
		if text != "" {
			fmt.Fprintf(b, "- **%s**: %s\n", name, text)
		}
	}
	needs, may, helps := usedBy(r.Kind)
	item("Decides", strings.Join(needs, ", "))
	if len(may) > 0 {
		item("Decides, when "+r.When, strings.Join(may, ", "))
	}
	item("Helps", strings.Join(helps, ", "))
	if len(needs)+len(may)+len(helps) == 0 {
		item("Decides", "nothing; "+strings.TrimSuffix(cmp.Or(r.Note, "it names things in the report"), "."))
	}
	request := "`" + r.String() + "`"
	if r.Each != nil {
		request += "; the loop goes over " + r.Each.Of
	}
	item("Request", request)
	if len(r.Permissions) > 0 {
		item("Permission", "`"+strings.Join(r.Permissions, "`, `")+"`")
	}
	item("Who may", strings.Join(r.Roles, " or "))
	licence := licenceWord(r.Licence)
	if r.Without != "" {
		licence += ". Without it: " + r.Without
	}
	item("Licence", licence)
	toll := evidence.TollOf(r.Kind)
	item("Paging", paging(r, &toll))
	item("Takes", takes(r, &toll))
	item("Kept", cmp.Or(toll.Keeps, "as it stands at that moment; nothing of the past"))
	if f != nil && f.PowerShell != "" && !strings.Contains(f.PowerShell, "\n") {
		item("PowerShell", "`` "+f.PowerShell+" ``")
	} else if f != nil {
		item("PowerShell", "several lines, under this name in `partnerguard export plan`")
	}
	item("Portal", cmp.Or(strings.Join(r.Portal, " > "), "gives no file that is read"))
	if len(needs)+len(may)+len(helps) > 0 && r.Note != "" {
		item("Note", r.Note)
	}
	if r.Not21Vianet {
		item("Clouds", "not in the one that 21Vianet runs")
	}
	for _, t := range toll.Traps {
		if len(needs)+len(may)+len(helps) == 0 {
			break // the check does not look at what no rule uses
		}
		item("Goes wrong", "when "+t.Done+": \"… "+t.Says+" …\"")
	}
	item("From", r.Source)
	fmt.Fprint(b, "\n")
}

// usedBy are the rules that need a kind, that may, and that it helps.
func usedBy(k evidence.Kind) (needs, may, helps []string) {
	for _, rule := range partner.Book() {
		for _, of := range []struct {
			kinds []evidence.Kind
			into  *[]string
		}{{rule.Needs, &needs}, {rule.May, &may}, {rule.Helps, &helps}} {
			for _, one := range of.kinds {
				if one == k {
					*of.into = append(*of.into, rule.ID)
				}
			}
		}
	}
	return needs, may, helps
}

func licenceWord(l evidence.Licence) string {
	if l == evidence.Free {
		return "any"
	}
	return "Entra ID " + strings.ToUpper(string(l))
}

func paging(r *evidence.Request, t *evidence.Toll) string {
	var out string
	switch {
	case !r.Paged:
		out = "none: one answer"
	case r.Service == evidence.Graph:
		out = "follow `@odata.nextLink` as it comes"
	case r.Service == evidence.PartnerCenter:
		out = "follow `links.next.uri` with the headers that stand beside it"
	default:
		out = "the same session again until nothing comes"
	}
	if t.Page > 0 {
		out += fmt.Sprintf("; %d records a page", t.Page)
	}
	if r.Each != nil {
		out += "; then one request for " + r.Each.Of
	}
	return out
}

// takes computes, for three sizes, how many requests there are and how long the
// service's limit makes them last.
func takes(r *evidence.Request, t *evidence.Toll) string {
	limit := ""
	if t.Pace.Words != "" {
		limit = "; Microsoft allows " + t.Pace.Words
	}
	switch {
	case strings.Contains(r.Query, "{id}"):
		return "one request for each such group" + limit
	case t.Grows == "" && !r.Paged:
		return "one request" + limit
	}
	sizes := []int{100, 1_000, 10_000}
	if t.Grows == "sign-ins" {
		sizes = []int{10_000, 100_000, 1_000_000}
	}
	var parts []string
	for _, n := range sizes {
		requests, least, ok := t.Takes(r, n)
		if !ok {
			if t.Grows != "" {
				return "grows with the number of " + t.Grows + ", by pages whose size is not published" + limit
			}
			return "a request or a few" + limit
		}
		part := print.Number(int64(requests)) + " for " + print.Number(int64(n))
		if least > 0 {
			part += fmt.Sprintf(" (%s at least)", print.Plural(int64((least+time.Minute-1)/time.Minute), "minutes"))
		}
		parts = append(parts, part)
	}
	return "requests by number of " + t.Grows + ": " + strings.Join(parts, ", ") + limit
}
