package cloud

import (
	"fmt"
	"io"
	"time"

	"partnerguard/internal/cli/kit"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/print"
)

// cloudText tells a person where everything is.
func cloudText(w io.Writer, info *partnercloud.Info, path string, p kit.Paint) error {
	fmt.Fprintf(w, "%s\n%s\n\n", p.Bold("Partner cloud, scenario "+print.Clean(info.Name, 100)), print.Clean(info.Banner, 300))
	type line struct{ name, value string }
	lines := []line{
		{"Partner tenant", info.Tenant.Name + "  " + info.Tenant.Domain + "  " + info.Tenant.ID},
		{"Clock", info.Clock.UTC().Format(time.DateTime) + " UTC"},
		{"Sign-in (Entra ID)", info.Login}, {"Microsoft Graph", info.Graph}, {"Partner Center", info.PartnerCenter}, {"Azure Resource Manager", info.ARM},
		{"Key Vault key", info.KeyVaultKey}, {"Portal", info.Portal},
		{"Portal without TLS", info.PortalHTTP}, {"HTTPS proxy", info.Proxy}, {"TLS by server name", info.SNI}, {"CA certificate", info.CAFile},
		{"Control file", path},
	}
	if m := info.Mail; m != nil {
		lines = append(lines, line{"SMTP, with STARTTLS", m.SMTP}, line{"IMAP, with TLS", m.IMAP}, line{"POP3, with TLS", m.POP})
	}
	if s := info.Stamp; s != nil {
		lines = append(lines, line{"Time stamps", s.URL}, line{"Root of time stamps", s.RootFile})
	}
	for _, l := range lines {
		if l.value != "" {
			fmt.Fprintf(w, "  %-22s  %s\n", l.name, print.Clean(l.value, 500))
		}
	}
	fmt.Fprintln(w)
	peopleText(w, info, p)
	_, err := fmt.Fprintf(w, `
Try, in another terminal
  partnerguard connect
  partnerguard cloud exec -- curl -i https://graph.microsoft.com/v1.0/me
  partnerguard cloud clock +95d
  partnerguard cloud fault graph 429 --share 0.2
  partnerguard cloud log signins --follow

It runs until it is interrupted.
`)
	return err
}

// peopleText tells whom to sign in as, and what else is there to use.
func peopleText(w io.Writer, info *partnercloud.Info, p kit.Paint) {
	section := func(title string, n int) bool {
		if n > 0 {
			fmt.Fprintln(w, p.Bold(title))
		}
		return n > 0
	}
	people := func(list []partnercloud.Person) {
		kit.Table(w, p, list,
			kit.Col("user", func(r *partnercloud.Person) string { return r.UPN }),
			kit.Col("password", func(r *partnercloud.Person) string { return r.Password }),
			kit.Col("TOTP secret", func(r *partnercloud.Person) string { return r.TOTP }),
			kit.Col("roles", func(r *partnercloud.Person) string { return r.Role }),
			kit.Col("about", func(r *partnercloud.Person) string { return r.About }))
	}
	if section("People", len(info.People)) {
		people(info.People)
	}
	if len(info.Admins) > 0 {
		fmt.Fprintln(w)
	}
	if section("Administrators of customers, who answer your offers", len(info.Admins)) {
		people(info.Admins)
	}
	if len(info.Apps) > 0 {
		fmt.Fprintln(w)
	}
	if section("Apps", len(info.Apps)) {
		kit.Table(w, p, info.Apps,
			kit.Col("app", func(r *partnercloud.App) string { return r.Name }),
			kit.Col("client id", func(r *partnercloud.App) string { return r.ClientID }),
			kit.Col("client secret", func(r *partnercloud.App) string { return r.ClientSecret }),
			kit.Col("redirect", func(r *partnercloud.App) string { return r.Redirect }),
			kit.Col("about", func(r *partnercloud.App) string { return r.About }))
	}
	if len(info.Customers) > 0 {
		fmt.Fprintln(w)
	}
	if section("Customers (the first)", len(info.Customers)) {
		kit.Table(w, p, info.Customers,
			kit.Col("customer", func(r *partnercloud.Customer) string { return r.Name }),
			kit.Col("domain", func(r *partnercloud.Customer) string { return r.Domain }),
			kit.Col("tenant id", func(r *partnercloud.Customer) string { return r.ID }))
	}
}
