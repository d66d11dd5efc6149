package automation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/directory"
	"partnerguard/internal/entra"
	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/signin"
)

// tools are the public clients of Microsoft that scripts sign in with, by app id.
// Others are found by their names too, see [isTool].
var tools = func() map[string]bool {
	out := map[string]bool{}
	for _, a := range entra.Apps() {
		if a.Tool {
			out[a.ID] = true
		}
	}
	return out
}()

// isTool looks at the name only where the id is not known: other modules bring
// ids of their own.
func isTool(appID, name string) bool {
	var buf [36]byte
	if len(appID) == len(buf) {
		for i := range buf {
			c := appID[i]
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			buf[i] = c
		}
		if tools[string(buf[:])] {
			return true
		}
	}
	return containsFold(name, "powershell") || containsFold(name, "azure cli") || containsFold(name, "command line tool") ||
		containsFold(name, "management shell")
}

// programs begin the user agents of HTTP libraries and command lines. Apps for
// people that have a user agent of their own (Outlook, Office, phones) are not
// among them.
var programs = []string{
	"python", "urllib", "aiohttp", "requests", "httpx", "msal", "azsdk-", "azure-sdk", "azurecli", "azurepowershell", "terraform", "pulumi", "ansible",
	"curl/", "wget/", "libcurl", "go-http-client", "java/", "apache-httpclient", "jakarta", "restsharp", "axios", "node", "undici", "got ", "got/",
	"ruby", "faraday", "guzzle", "php", "libwww-perl", "lwp", "swagger-codegen", "openapi-generator", "postmanruntime", "insomnia", "httpie",
	"windowspowershell", "powershell", "logicapps", "azure-logic-apps", "power automate", "n8n", "make/", "zapier",
}

func isProgram(agent string) bool {
	if agent == "" {
		return false
	}
	for _, p := range programs {
		if len(agent) >= len(p) && strings.EqualFold(agent[:len(p)], p) {
			return true
		}
	}
	return false
}

func onPhone(platform string) bool {
	return containsFold(platform, "ios") || containsFold(platform, "android") || containsFold(platform, "windows phone")
}

func containsFold(s, part string) bool {
	for i := 0; i+len(part) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// Items says what of the fold is automation with user credentials, how sure it
// is and why. f is what was read together with the log; its SignIns must be
// finished.
func Items(fold *Fold, f *facts.Facts) Result {
	all := fold.joined()
	out := Result{Items: []Item{}, Beyond: all.beyond, Covered: all.covered(f), seen: map[string]time.Time{}}
	d := f.Directory
	roles, _ := d.RolesByPrincipal()
	partly, rolesKnown := f.RolesPartly(), f.RolesKnown()
	// Rows without a user id belong to the account of their name.
	traces := map[key]*trace{}
	for k, t := range all.traces {
		if by := d.KeyByUPN(k.account); by != "" {
			k.account = by
		}
		if o := traces[k]; o != nil {
			o.add(t)
		} else {
			traces[k] = t
		}
	}
	names := displayNames(f.SignIns)
	for k, t := range traces {
		if t.success+t.stopped == 0 {
			continue // only guesses at a password: an attack, or a script that is dead already
		}
		for _, id := range aliases(k.account, t.name.text, k.app, t.appName.text, protocols[k.rank], k.client) {
			out.seen[id] = later(out.seen[id], t.last)
		}
		u := directory.User{UserPrincipalName: t.name.text}
		if known := d.Users[k.account]; known != nil {
			u = *known
		}
		signs := directory.Signs{Roles: roles[k.account], RolesPartly: partly}
		if directory.Classify(&u, signs) == directory.ClassDirectorySync {
			continue // bound to sign in by itself; the requirement leaves it out
		}
		class := classify(d, k.account, t.name.text, names[k.account])
		p := protocols[k.rank]
		conf, why := judge(p, class, t)
		if conf == "" {
			continue
		}
		if partly && signs.MaySync() || !rolesKnown && directory.NamedLikeSync(u.UserPrincipalName, u.DisplayName) {
			conf, why = Possible, append(why, "against it: it may be the directory synchronisation account; the role assignments, which alone would "+
				"show it, were not all read")
		}
		it := Item{
			Account: k.account, Name: t.name.text, App: k.app, AppName: t.appName.text, Protocol: p,
			Confidence: conf, Why: why, State: Found, Evidence: t.evidence(),
		}
		if it.Name == "" {
			it.Name = k.account
		}
		if p == Legacy {
			it.Client = t.client.text
		}
		if name, ok := strings.CutPrefix(k.app, "name:"); ok {
			it.App = ""
			if it.AppName == "" {
				it.AppName = name
			}
		}
		it.ID = ID(k.account, k.app, p, k.client)
		note, advice := wayOut(&it, f)
		it.Advice = advice
		it.Why = append(it.Why, note...)
		out.Items = append(out.Items, it)
	}
	sortItems(out.Items)
	return out
}

func displayNames(s *signin.Summary) map[string]string {
	out := map[string]string{}
	if s != nil {
		for i := range s.Accounts {
			out[s.Accounts[i].Key] = s.Accounts[i].DisplayName
		}
	}
	return out
}

func (t *trace) evidence() Evidence {
	return Evidence{
		SignIns: t.success, WithMFA: t.proven, WithoutMFA: t.unasked, Stopped: t.stopped, Failed: t.failed,
		Interactive: t.interactive, NonInteractive: t.nonInteractive, Days: len(t.days), Addresses: len(t.addrs),
		Programs: append([]string{}, t.programs...), First: t.first, Last: t.last, Examples: append([]Example{}, t.examples...),
	}
}

// judge gives the confidence, or "" for what is no automation of ours to list.
func judge(p Protocol, class directory.Class, t *trace) (Confidence, []string) {
	signs := t.signs()
	service := class == directory.ClassService
	why := []string{}
	if service {
		why = append(why, "the account is named like a service's")
	}
	switch p {
	case ROPC:
		if t.success > 0 {
			return Certain, append([]string{"the password grant (ROPC): a program holds the password"}, append(why, signs...)...)
		}
		return Likely, append([]string{"the password grant (ROPC) with the right password, stopped where MFA was asked for"}, append(why, signs...)...)
	case Legacy:
		old := directory.OldMailClient(t.client.text)
		why = append([]string{"basic authentication by " + t.client.text + ": whoever signs in has the password stored"}, why...)
		switch {
		case service, !old && len(signs) >= 2, len(signs) >= 3:
			return Likely, append(why, signs...)
		case old:
			return "", nil // an old mail program of a person: legacy-authentication names it
		}
		return Possible, append(why, signs...)
	case Other:
		switch {
		case service && t.unasked > 0:
			return Likely, append(why, append([]string{"it signs in without MFA being asked for"}, signs...)...)
		case service:
			return Possible, append(why, append([]string{"whether MFA was asked for is not on its rows"}, signs...)...)
		case t.unasked > 0 && len(signs) >= 3:
			return Possible, append(why, signs...)
		}
		return "", nil
	}

	why = append([]string{map[Protocol]string{
		DeviceCode: "the device code flow: a refresh token is kept where the code was asked for",
		Tool:       "a PowerShell module or command line of Microsoft under a user account",
		Program:    "a program, by its user agent",
	}[p]}, why...)
	points := len(signs)
	if service {
		points += 2
	}
	if p == Program || slices.ContainsFunc(t.programs, isProgram) && p != Tool {
		points++
	}
	switch {
	case t.challenged > 0:
		points -= 2
		signs = append(signs, fmt.Sprintf("against it: somebody answered an MFA prompt %s", times(t.challenged)))
	case t.interactive > 0 && t.proven > 0:
		points--
		signs = append(signs, "against it: interactive sign-ins with MFA among its rows")
	}
	switch {
	case points >= 3:
		return Likely, append(why, signs...)
	case points <= 0 && t.unasked == 0 && t.success == t.proven && (t.stopped == 0 || t.challenged > 0):
		return "", nil // a person at a keyboard, with MFA each time
	}
	return Possible, append(why, signs...)
}

func times(n int64) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", n)
}

// signs are the marks of nobody at the keyboard. They do not ask for the time
// zone: what is night somewhere is not known, but nobody works around the clock.
func (t *trace) signs() (signs []string) {
	n := t.success + t.stopped
	if n < 5 {
		return nil // too few to see a pattern
	}
	if t.nonInteractive == n {
		signs = append(signs, "none of its sign-ins is interactive")
	}
	if len(t.addrs) == 1 {
		signs = append(signs, "always from one address")
	}
	days, weekend := len(t.days), 0
	for _, d := range t.days {
		if w := (int(d)%7 + 7) % 7; w == 2 || w == 3 { // 1970-01-01 was a Thursday
			weekend++
		}
	}
	if days >= 7 && weekend*10 >= days*2 {
		signs = append(signs, "on weekends as on other days")
	}
	hours := 0
	for h := range 24 {
		hours += int(t.hours >> h & 1)
	}
	total := uint64(t.clocked)
	switch {
	case hours >= 12 && total >= 24 && best(t.minutes[:])*10 >= total*8:
		signs = append(signs, "at the same minute of the hour, day and night")
	case hours >= 20 && total >= 24:
		signs = append(signs, fmt.Sprintf("around the clock: in %d of 24 hours", hours))
	case days >= 5 && best(t.slots[:])*10 >= total*8:
		signs = append(signs, "at the same time of day")
	}
	return signs
}

// best is how much two neighbouring slots of a ring hold at most.
func best(ring []uint32) (most uint64) {
	for i := range ring {
		most = max(most, uint64(ring[i])+uint64(ring[(i+1)%len(ring)]))
	}
	return most
}

// wayOut says what to do, and what the tenant's apps say about the move.
func wayOut(it *Item, f *facts.Facts) (notes []string, advice string) {
	switch it.Protocol {
	case Legacy:
		switch c := strings.ToLower(it.Client); {
		case strings.Contains(c, "smtp"):
			advice = "send by an app with its own identity (Mail.Send, limited to one mailbox), by a relay connector, or by High Volume Email"
		case strings.Contains(c, "powershell"), strings.Contains(c, "reporting"):
			advice = "use the module's certificate sign-in (app-only), or partnerguard exec"
		default:
			advice = "read the mailbox through Graph with the app's own identity, limited to it"
		}
	case Tool:
		advice = "run it under partnerguard exec, which hands out short tokens (Secure Application Model), or sign in with a certificate of its own app"
	case Other:
		advice = "find what signs in as this account, then move it to the Secure Application Model or an identity of its own; disable the account's " +
			"interactive sign-in"
	default:
		advice = "consent once with MFA (partnerguard connect) and let it fetch short tokens, or give it an identity of its own (certificate, managed identity)"
	}
	if it.App == "" || tools[it.App] {
		return nil, advice
	}
	for _, sp := range f.Directory.ServicePrincipals {
		if strings.EqualFold(sp.AppID, it.App) && len(sp.PasswordCredentials.Items)+len(sp.KeyCredentials.Items) > 0 {
			notes = append(notes, "its app has a credential of its own already")
			break
		}
	}
	for _, a := range f.Directory.Applications {
		if strings.EqualFold(a.AppID, it.App) {
			notes = append(notes, "its app is registered in this tenant")
			if len(notes) < 2 && len(a.PasswordCredentials.Items)+len(a.KeyCredentials.Items) > 0 {
				notes = append(notes, "its app has a credential of its own already")
			}
			break
		}
	}
	if f.SignIns != nil {
		for _, sp := range f.SignIns.ServicePrincipals {
			if strings.EqualFold(sp.AppID, it.App) && sp.Successes > 0 {
				notes = append(notes, fmt.Sprintf("its app also signs in as itself (%s): the move may be under way", times(sp.Successes)))
				break
			}
		}
	}
	return notes, advice
}

// covered gives the stretches in which the log would have shown a sign-in. More
// than two days on end without any row are taken for a gap in the export.
func (c *collector) covered(f *facts.Facts) []Span {
	spans := []Span{}
	if !f.Whole(evidence.SignIn) || !c.inter || c.beyond > 0 {
		return spans
	}
	open, before := false, int32(0)
	for _, n := range slices.Sorted(maps.Keys(c.days)) {
		switch d := c.days[n]; {
		case d.blind: // a v1.0 export does not say by which protocol
			open = false
		case !d.nonInteractive:
		case open && n-before <= 3:
			spans[len(spans)-1].To, before = d.last.UTC(), n
		default:
			spans = append(spans, Span{d.first.UTC(), d.last.UTC()})
			open, before = true, n
		}
	}
	return slices.DeleteFunc(spans, func(s Span) bool { return s.To.Sub(s.From) < time.Hour })
}
