package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
)

// Table writes every request and which rules use it, as Markdown. A test holds
// docs/exports.md to it.
func Table(w io.Writer) error {
	b := bufio.NewWriter(w)
	b.WriteString(`# What to export

Made by ` + "`go generate`" + ` from the table that also drives ` + "`partnerguard export plan`" + ` and ` + "`export check`" + `: change
internal/evidence/request_*.go instead. ` + "`partnerguard export plan`" + ` prints the same for one kind of partner, cloud and
licence, with PowerShell lines to paste; [answers.md](answers.md) documents its JSON.

Permissions are those of least privilege, delegated and application alike. Partner Center takes App+User tokens, see
[sam.md](sam.md). "Every page" means that the last page has no next link. Members of a group are never read by ` + "`$expand`" + `,
which gives 20 at most and says nothing of the rest.

`)
	for _, part := range []struct {
		title   string
		service evidence.Service
	}{{"Microsoft Graph", evidence.Graph}, {"Partner Center", evidence.PartnerCenter}, {"Exchange Online", evidence.ExchangeOnline}} {
		fmt.Fprintf(b, "## %s\n\n| file | request | who may | licence | needed by | helps |\n| --- | --- | --- | --- | --- | --- |\n", part.title)
		for _, r := range evidence.Requests() {
			if r.Service == part.service {
				tableRow(b, &r)
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("## Notes\n\n")
	for _, r := range evidence.Requests() {
		var says []string
		if r.Each != nil {
			says = append(says, "The loop goes over "+r.Each.Of+".")
		}
		if r.Without != "" {
			says = append(says, "Without Entra ID "+strings.ToUpper(string(r.Licence))+": "+r.Without+".")
		}
		if r.Note != "" {
			says = append(says, strings.ToUpper(r.Note[:1])+r.Note[1:]+".")
		}
		if len(r.Portal) > 0 {
			says = append(says, "In the portal: "+strings.Join(r.Portal, " > ")+".")
		}
		if r.Not21Vianet {
			says = append(says, "Not in the cloud that 21Vianet runs.")
		}
		if len(says) > 0 {
			fmt.Fprintf(b, "- `%s`: %s (%s)\n", r.File, strings.Join(says, " "), r.Source)
		}
	}
	b.WriteString("\n## No request gives these\n\nThey are read where they come, from other tools or earlier exports.\n\n")
	for _, k := range evidence.KindsWithoutRequest() {
		fmt.Fprintf(b, "- `%s`: %s\n", k, evidence.WhyNoRequest(k))
	}
	return b.Flush()
}

func tableRow(w io.Writer, r *evidence.Request) {
	var needs, may, helps []string
	for _, rule := range partner.Book() {
		for _, k := range rule.Needs {
			if k == r.Kind {
				needs = append(needs, rule.ID)
			}
		}
		for _, k := range rule.May {
			if k == r.Kind {
				may = append(may, rule.ID)
			}
		}
		for _, k := range rule.Helps {
			if k == r.Kind {
				helps = append(helps, rule.ID)
			}
		}
	}
	if len(may) > 0 {
		sep := "; "
		if len(needs) == 0 {
			sep = ""
		}
		needs = append(needs, sep+"when "+r.When+": "+strings.Join(may, ", "))
		if len(needs) > 1 {
			needs = []string{strings.Join(needs[:len(needs)-1], ", ") + needs[len(needs)-1]}
		}
	}
	licence := "any"
	if r.Licence != evidence.Free {
		licence = "Entra ID " + strings.ToUpper(string(r.Licence))
	}
	fmt.Fprintf(w, "| `%s` | `%s` | %s | %s | %s | %s |\n", r.File, r.String(),
		strings.Join(r.Roles, " or "), licence, strings.Join(needs, ", "), strings.Join(helps, ", "))
}
