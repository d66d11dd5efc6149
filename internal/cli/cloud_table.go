package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"partnerguard/internal/partnercloud"
	"partnerguard/internal/print"
)

// column of a table: its head, and what it says of a row.
type column[T any] struct {
	head string
	cell func(*T) string
}

// table prints rows in columns as wide as they must be. A column that says
// nothing of any row is left out; the last one is not padded.
func table[T any](w io.Writer, p paint, rows []T, columns ...column[T]) {
	cells := make([][]string, len(rows)+1)
	for _, c := range columns {
		col, widest, any := make([]string, len(rows)), print.Width(c.head), false
		for i := range rows {
			col[i] = print.Clean(c.cell(&rows[i]), 200)
			any = any || col[i] != ""
			widest = max(widest, print.Width(col[i]))
		}
		if !any {
			continue
		}
		pad := func(s string) string { return s + strings.Repeat(" ", widest-print.Width(s)) }
		cells[0] = append(cells[0], pad(c.head))
		for i, s := range col {
			if s == "" {
				s = "-"
			}
			cells[i+1] = append(cells[i+1], pad(s))
		}
	}
	for i, row := range cells {
		line := strings.TrimRight("  "+strings.Join(row, "  "), " ")
		if i == 0 {
			line = p.dim(line)
		}
		fmt.Fprintln(w, line)
	}
}

// cloudText tells a person where everything is.
func cloudText(w io.Writer, info *partnercloud.Info, path string, p paint) error {
	fmt.Fprintf(w, "%s\n%s\n\n", p.bold("Partner cloud, scenario "+print.Clean(info.Name, 100)), print.Clean(info.Banner, 300))
	type line struct{ name, value string }
	lines := []line{
		{"Partner tenant", info.Tenant.Name + "  " + info.Tenant.Domain + "  " + info.Tenant.ID},
		{"Clock", info.Clock.UTC().Format(time.DateTime) + " UTC"},
		{"Sign-in (Entra ID)", info.Login}, {"Microsoft Graph", info.Graph}, {"Partner Center", info.PartnerCenter}, {"Azure Resource Manager", info.ARM}, {"Key Vault key", info.KeyVaultKey}, {"Portal", info.Portal},
		{"Portal without TLS", info.PortalHTTP}, {"HTTPS proxy", info.Proxy}, {"TLS by server name", info.SNI}, {"CA certificate", info.CAFile}, {"Control file", path},
	}
	for _, l := range lines {
		if l.value != "" {
			fmt.Fprintf(w, "  %-22s  %s\n", l.name, print.Clean(l.value, 500))
		}
	}
	fmt.Fprintln(w)
	peopleText(w, info, p)
	_, err := fmt.Fprintf(w, `
Try
  partnerguard cloud exec -- curl -i https://graph.microsoft.com/v1.0/me
  partnerguard cloud clock +95d
  partnerguard cloud fault graph 429 --share 0.2
  partnerguard cloud log signins --follow

It runs until it is interrupted.
`)
	return err
}

// peopleText tells whom to sign in as, and what else is there to use.
func peopleText(w io.Writer, info *partnercloud.Info, p paint) {
	section := func(title string, n int) bool {
		if n > 0 {
			fmt.Fprintln(w, p.bold(title))
		}
		return n > 0
	}
	if section("People", len(info.People)) {
		table(w, p, info.People,
			column[partnercloud.Person]{"user", func(r *partnercloud.Person) string { return r.UPN }},
			column[partnercloud.Person]{"password", func(r *partnercloud.Person) string { return r.Password }},
			column[partnercloud.Person]{"TOTP secret", func(r *partnercloud.Person) string { return r.TOTP }},
			column[partnercloud.Person]{"roles", func(r *partnercloud.Person) string { return r.Role }},
			column[partnercloud.Person]{"about", func(r *partnercloud.Person) string { return r.About }})
	}
	if len(info.Apps) > 0 {
		fmt.Fprintln(w)
	}
	if section("Apps", len(info.Apps)) {
		table(w, p, info.Apps,
			column[partnercloud.App]{"app", func(r *partnercloud.App) string { return r.Name }},
			column[partnercloud.App]{"client id", func(r *partnercloud.App) string { return r.ClientID }},
			column[partnercloud.App]{"client secret", func(r *partnercloud.App) string { return r.ClientSecret }},
			column[partnercloud.App]{"redirect", func(r *partnercloud.App) string { return r.Redirect }},
			column[partnercloud.App]{"about", func(r *partnercloud.App) string { return r.About }})
	}
	if len(info.Customers) > 0 {
		fmt.Fprintln(w)
	}
	if section("Customers (the first)", len(info.Customers)) {
		table(w, p, info.Customers,
			column[partnercloud.Customer]{"customer", func(r *partnercloud.Customer) string { return r.Name }},
			column[partnercloud.Customer]{"domain", func(r *partnercloud.Customer) string { return r.Domain }},
			column[partnercloud.Customer]{"tenant id", func(r *partnercloud.Customer) string { return r.ID }})
	}
}
