package signins

import (
	"cmp"
	"slices"
	"strings"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// verdicts are the verdicts, worst first, with what is said of each.
var verdicts = []struct {
	name, word string
	tone       print.Tone
}{
	{"not_challenged", "not challenged", print.Bad}, {"unknown", "unsure", print.Doubt}, {"interrupted", "interrupted", print.Doubt},
	{"failed", "failed", print.Muted}, {"challenged", "MFA asked", print.Good}, {"satisfied_by_claim", "earlier claim", print.Good},
	{"satisfied_by_provider", "external provider", print.Good},
}

func verdictRank(v string) int {
	for i := range verdicts {
		if verdicts[i].name == v {
			return i
		}
	}
	return 1
}

func verdictWord(v string) string { return verdicts[verdictRank(v)].word }

func saidOf(r *Row) page.Said {
	v := &verdicts[verdictRank(r.Verdict)]
	s := page.Said{Tone: v.tone, Word: v.word}
	if r.Verdict == "not_challenged" && r.Legacy {
		s.Word = "legacy"
	}
	return s
}

// rowList is how rows are shown.
var rowList = &screen.List[Row]{
	Noun: "sign-in", PerPage: 50, Search: "account, app, address", Default: "judged", Drawer: true, Key: func(r *Row) string { return r.Key() },
	Columns: []screen.Column[Row]{
		{Name: "time", Head: "Time", About: "when it was, UTC", Order: func(a, b *Row) int { return a.At.Compare(b.At) },
			Blank: func(r *Row) bool { return r.At.IsZero() },
			Cell:  func(r *Row) screen.Cell { return screen.Cell{At: r.At, Never: "unreadable"} }},
		{Name: "account", Head: "Account", Cell: func(r *Row) screen.Cell { return screen.Words(print.Clean(cmp.Or(r.User, r.UserID, "not named"), 120)) }},
		{Name: "app", Head: "App", Cell: func(r *Row) screen.Cell {
			return screen.Cell{Text: print.Clean(cmp.Or(r.App, r.AppID, "not named"), 120), Sub: print.Clean(strings.Join(filled(r.Client, r.Platform,
				protocolWord(r)), ", "), 120)}
		}},
		{Name: "from", Head: "From", Drop: true, Cell: func(r *Row) screen.Cell {
			return screen.Cell{Text: print.Clean(r.IP, 60), Sub: print.Clean(strings.Join(filled(r.Country, namedPlace(r)), " · "), 120), Never: "not said"}
		}},
		{Name: "judged", Head: "Judged", About: "what the row proves, and why", Order: func(a, b *Row) int {
			return cmp.Or(verdictRank(a.Verdict)-verdictRank(b.Verdict), b.At.Compare(a.At))
		}, Cell: func(r *Row) screen.Cell {
			s := saidOf(r)
			c := screen.Cell{Said: &s, Sub: print.Clean(r.Said, 200)}
			if r.Disagrees {
				c.Tags = append(c.Tags, screen.Tag{Text: "settings disagree", Tone: print.Doubt})
			}
			return c
		}},
		{Name: "policies", Head: "Policies", About: "what the settings say of it", Only: true, Text: func(r *Row) string {
			return strings.Join(append(filled(settingsWord(r.Settings)), r.By...), "; ")
		}},
		{Name: "id", Head: "Id", Only: true, Plain: true, Fixed: true, Text: func(r *Row) string { return r.ID }},
		{Name: "segment", Head: "Segment", Only: true, Plain: true, Fixed: true, Text: func(r *Row) string { return r.Segment }},
	},
	Filters: []screen.Filter[Row]{
		{Name: "verdict", Head: "Judged", Of: func(r *Row) []string { return []string{r.Verdict} }, Word: verdictWord,
			Enum: []string{"not_challenged", "unknown", "interrupted", "failed", "challenged", "satisfied_by_claim", "satisfied_by_provider"}},
		{Name: "settings", Head: "Settings", Of: settingsOf, Word: settingsWord, Enum: []string{"disagree", "mfa_not_required", "mfa_required",
			"blocked", "undecided"}},
		{Name: "app", Head: "App", Quiet: true, Of: func(r *Row) []string { return []string{strings.ToLower(cmp.Or(r.AppID, r.App))} }},
		{Name: "client", Head: "Client", Quiet: true, Of: func(r *Row) []string { return filled(r.Client) }},
		{Name: "protocol", Head: "Protocol", Quiet: true, Of: func(r *Row) []string { return filled(r.Protocol) }},
		{Name: "account", Head: "Account", Quiet: true, Of: func(r *Row) []string { return []string{r.account()} }},
		{Name: "country", Head: "Country", Quiet: true, Of: func(r *Row) []string { return filled(strings.ToLower(r.Country)) }},
		{Name: "place", Head: "Place", Quiet: true, Of: func(r *Row) []string { return filled(r.Place) }},
		{Name: "policy", Head: "Policy's word", Quiet: true, Of: func(r *Row) []string { return filled(r.Policy) }},
		{Name: "by", Head: "Policy", Quiet: true, Of: func(r *Row) []string { return r.By }},
	},
}

// namedPlace is the place where the policies name it; "" is anywhere else.
func namedPlace(r *Row) string {
	if strings.HasPrefix(r.Place, "any other") {
		return ""
	}
	return r.Place
}

// filled are the texts that say something.
func filled(list ...string) (out []string) {
	for _, s := range list {
		if strings.TrimSpace(s) != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func protocolWord(r *Row) string {
	switch {
	case r.ROPC:
		return "password grant"
	case r.DeviceCode:
		return "device code"
	case r.AOBO:
		return "on behalf of a customer"
	}
	return ""
}

func settingsOf(r *Row) (out []string) {
	if r.Disagrees {
		out = append(out, "disagree")
	}
	return append(out, filled(r.Settings)...)
}

func settingsWord(s string) string {
	switch s {
	case "disagree":
		return "settings and log disagree"
	case "mfa_required":
		return "settings ask for MFA"
	case "mfa_not_required":
		return "settings ask for nothing"
	case "blocked":
		return "settings block it"
	case "undecided":
		return "settings undecided"
	}
	return s
}
