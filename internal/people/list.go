package people

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/screen"
)

// The values of the filters, in the order they are shown.
var (
	proofValues   = []string{Open, Unknown, Asked, NotAsked}
	factorValues  = []string{"none", "phone", "otp", "app", "phishing_resistant", Unknown}
	classValues   = []string{"admin", "member", "guest", "service", "shared", "break-glass", "room", "agent", "sync", Unknown}
	logValues     = []string{SeenUnasked, SeenUnclear, SeenAsked, SeenNever, SeenUnknown}
	verdictValues = []string{"not_met", "unknown", "attested", "met", "not_applicable"}
)

var proofWords = map[string]string{Open: "open by proof", Unknown: "proof unknown", Asked: "asked at every sign-in", NotAsked: "nobody asks it"}

var factorWords = map[string]string{"none": "no method", "phone": "text message or call", "otp": "one-time code", "app": "Authenticator or provider",
	"phishing_resistant": "passkey or security key", Unknown: "method not read"}

var factorIcons = map[string]screen.Lit{"none": "none", "phone": "sms", "otp": "totp", "app": "push", "phishing_resistant": "key", Unknown: "q"}

var logWords = map[string]string{SeenUnasked: "seen unchallenged", SeenUnclear: "seen, MFA not shown", SeenAsked: "seen, always with MFA",
	SeenNever: "not in the log", SeenUnknown: "log not read"}

// said is a word with the tone of a verdict.
func said(tone print.Tone, word string) *page.Said { return &page.Said{Tone: tone, Word: word} }

func in(words map[string]string) func(string) string {
	return func(v string) string { return cmp.Or(words[v], strings.ReplaceAll(v, "_", " ")) }
}

// perPage keeps a page, at 2 kB a row, below 150 kB.
const perPage = 50

// rowsOf is how accounts are listed.
func (f *Feature) rowsOf() *screen.List[Row] {
	return &screen.List[Row]{
		PerPage: perPage,
		Columns: slices.Concat(seenColumns(), exportColumns()),
		Filters: []screen.Filter[Row]{
			{Name: "proof", Head: "By proof", Enum: proofValues, Chips: []string{Open, Unknown},
				Word: in(proofWords), Of: func(r *Row) []string { return r.facet(0) }},
			{Name: "log", Head: "In the log", Enum: logValues, Chips: []string{SeenUnasked, SeenUnknown},
				Word: in(logWords), Of: func(r *Row) []string { return r.facet(1) }},
			{Name: "factor", Head: "Strongest method", Enum: factorValues, Chips: []string{"none", Unknown},
				Word: in(factorWords), Of: func(r *Row) []string { return r.facet(2) }},
			{Name: "class", Head: "Class", Enum: classValues, Chips: []string{"admin", "guest", "service"},
				Word: in(map[string]string{Unknown: "class unknown"}),
				Of:   func(r *Row) []string { return r.facet(3) }},
			{Name: "enabled", Head: "Enabled", Enum: []string{Yes, No, Unknown}, Chips: []string{No, Unknown},
				Word: in(map[string]string{Yes: "enabled", No: "disabled",
					Unknown: "enabled or not is unknown"}), Of: func(r *Row) []string { return r.facet(4) }},
			{Name: "verdict", Head: "Verdict", Quiet: true, Enum: verdictValues, Of: func(r *Row) []string { return r.facet(5) }},
			{Name: "ordinary", Head: "An ordinary sign-in", Quiet: true, Enum: proofValues, Of: func(r *Row) []string { return r.facet(6) }},
			{Name: "role", Head: "Role", Quiet: true, Of: func(r *Row) []string { return r.Roles }},
			{Name: "legacy", Head: "Legacy client", Quiet: true, Enum: []string{Yes, No}, Of: func(r *Row) []string { return r.facet(7) }},
		},
		Key: (*Row).id, Tenant: func(r *Row) string { return r.Tenant }, Default: "-proof", Search: "name, user principal name, role",
		Hay: (*Row).looked, Noun: "account",
		Detail: detail,
	}
}

// seenColumns are those of the page.
func seenColumns() []screen.Column[Row] {
	return []screen.Column[Row]{
		{Name: "account", Head: "Account", About: "what the account is called, and its user principal name", Cell: accountCell,
			Text: func(r *Row) string { return r.Name }, Order: func(a, b *Row) int { return strings.Compare(a.hay, b.hay) }},
		{Name: "class", Head: "Class", About: "what kind of account it is, and the directory roles it holds or may activate", Cell: classCell, Plain: true,
			Text: func(r *Row) string { return r.Class }, Order: func(a, b *Row) int { return strings.Compare(a.Class, b.Class) }},
		{Name: "factor", Head: "Strongest", About: "the strongest registered method; it is not coverage: the settings must ask for it", Cell: factorCell,
			Plain: true, Text: func(r *Row) string { return r.Factor },
			Order: func(a, b *Row) int {
				return slices.Index(factorValues, a.Factor) - slices.Index(factorValues, b.Factor)
			},
			Blank: func(r *Row) bool { return r.Factor == Unknown }},
		{Name: "proof", Head: "By proof", About: "whether the settings ask for MFA at every sign-in that they can tell apart, and where not", Cell: proofCell,
			Plain: true, Text: func(r *Row) string { return r.Proof }, Order: func(a, b *Row) int { return b.at - a.at }},
		{Name: "unasked", Head: "Unchallenged, 30 d", About: "sign-ins without MFA in the log, by day", Cell: barsCell, Plain: true, Drop: true,
			Text: unaskedText, Order: func(a, b *Row) int { return cmp.Compare(a.Unasked, b.Unasked) },
			Blank: func(r *Row) bool { return r.Log == SeenUnknown }},
		{Name: "last", Head: "Last unchallenged", About: "when it last signed in without MFA", Right: true, Cell: lastCell, Plain: true,
			Text:  func(r *Row) string { return stamp(r.LastUnasked) },
			Order: func(a, b *Row) int { return a.LastUnasked.Compare(b.LastUnasked) }, Blank: func(r *Row) bool { return r.LastUnasked.IsZero() }},
		{Name: "wayOut", Head: "Way out", About: "what brings it into line", Cell: wayCell, Plain: true, Fixed: true, Text: func(r *Row) string {
			var out []string
			for _, w := range r.Ways {
				out = append(out, w.Word)
			}
			return strings.Join(out, "; ")
		}},
	}
}

// exportColumns are those of the CSV alone; some are searched too.
func exportColumns() []screen.Column[Row] {
	col := func(name, about string, text func(*Row) string) screen.Column[Row] {
		return screen.Column[Row]{Name: name, Head: name, About: about, Only: true, Plain: true, Fixed: true, Text: text}
	}
	searched := func(c screen.Column[Row]) screen.Column[Row] { c.Plain = false; return c }
	return []screen.Column[Row]{
		searched(col("userPrincipalName", "its user principal name", func(r *Row) string { return r.UPN })),
		searched(col("id", "its object id", func(r *Row) string { return r.ID })),
		col("tenant", "whose it is", func(r *Row) string { return r.Tenant }),
		col("enabled", "yes, no, or unknown: it was not read", func(r *Row) string { return r.Enabled }),
		searched(col("roles", "directory roles held or to be activated", func(r *Row) string { return strings.Join(r.Roles, "; ") })),
		col("rolesRead", "no: there may be more roles than those", func(r *Row) string { return r.RolesRead }),
		col("registered", "yes, no, or unknown: its registration was not read", func(r *Row) string { return r.Registered }),
		col("methods", "all registered methods, as Entra ID names them", func(r *Row) string { return strings.Join(r.Methods, "; ") }),
		col("openWhere", "the sign-ins that nothing asks for MFA", func(r *Row) string {
			if r.Opening == nil {
				return ""
			}
			return r.Opening.Text
		}),
		col("witness", "one of them, to try", func(r *Row) string {
			if r.Opening == nil {
				return ""
			}
			return r.Opening.Witness
		}),
		col("settle", "what makes an unknown an answer", func(r *Row) string { return r.Settle }),
		col("log", "what the log says", func(r *Row) string { return r.Log }),
		col("signIns", "successes in the log; empty where it was not read", func(r *Row) string {
			if r.Log == SeenUnknown && r.SignIns == 0 {
				return ""
			}
			return strconv.FormatInt(r.SignIns, 10)
		}),
		col("lastSignIn", "the newest of them", func(r *Row) string { return stamp(r.LastSignIn) }),
		col("verdict", "the verdict of the account", func(r *Row) string { return r.Verdict }),
		col("reason", "why", func(r *Row) string { return r.Reason }),
		col("exception", "who leaves it out, and until when; the verdict stays", func(r *Row) string { return r.Exception }),
		col("sources", "where the facts were read", func(r *Row) string {
			var out []string
			for _, s := range r.Sources {
				out = append(out, s.What+" "+s.Where)
			}
			return strings.Join(out, "; ")
		}),
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func unaskedText(r *Row) string {
	if r.Log == SeenUnknown && r.Unasked == 0 {
		return ""
	}
	return strconv.FormatInt(r.Unasked, 10)
}

func accountCell(r *Row) screen.Cell {
	c := screen.Named(r.called(), r.UPN, r.path())
	if r.Name == "" {
		c.Sub = r.ID
	}
	switch r.Enabled {
	case No:
		c.Tags = append(c.Tags, screen.Tag{Text: "disabled"})
	case Unknown:
		c.Tags = append(c.Tags, screen.Tag{Text: "enabled?", Tone: print.Doubt})
	}
	if r.of != "" {
		c.Tags = append(c.Tags, screen.Tag{Text: r.of, Path: screen.With("/people", "tenant", r.Tenant)})
	}
	return c
}

// maxRoles bounds the roles in a cell; the detail has all.
const maxRoles = 1

func classCell(r *Row) screen.Cell {
	c := screen.Cell{Text: r.Class}
	if r.Class == Unknown {
		c = screen.Cell{Said: said(print.Doubt, "unknown")}
	}
	c.Sub = strings.Join(r.Roles[:min(len(r.Roles), maxRoles)], ", ")
	if more := len(r.Roles) - maxRoles; more > 0 {
		c.Sub += " and " + strconv.Itoa(more) + " more"
	}
	if r.RolesRead != Yes && c.Sub == "" {
		c.Sub = "roles not read"
	}
	return c
}

func factorCell(r *Row) screen.Cell {
	c := screen.Cell{Icon: factorIcons[r.Factor], Text: cmp.Or(shortFactor[r.Factor], r.Factor)}
	switch {
	case r.Factor == Unknown && r.Registered == Unknown && len(r.Methods) == 0:
		return screen.Cell{Said: said(print.Doubt, "not read")}
	case r.Factor == Unknown:
		return screen.Cell{Said: said(print.Doubt, "a method not known here"), Sub: strings.Join(r.Methods, ", ")}
	case r.Factor == "none":
		return screen.Cell{Said: said(print.Bad, "none")}
	case r.Factor == "phone":
		c.Tags = []screen.Tag{{Text: "weak", Tone: print.Doubt}}
	}
	return c
}

var shortFactor = map[string]string{"phone": "text or call", "otp": "one-time code", "app": "Authenticator", "phishing_resistant": "passkey or key"}

func proofCell(r *Row) screen.Cell {
	switch r.Proof {
	case Open:
		c := screen.Cell{Said: said(print.Bad, "open")}
		if r.Opening != nil {
			c.Sub = r.Opening.Where
		}
		return c
	case Asked:
		return screen.Cell{Said: said(print.Good, "every sign-in"), Sub: "no sign-in without MFA"}
	case NotAsked:
		why := "the contract does not ask it"
		if r.Enabled == No {
			why = "the account is disabled"
		}
		return screen.Cell{Said: said(print.Muted, "not asked about"), Sub: why}
	}
	return screen.Cell{Said: said(print.Doubt, "unknown"), Sub: lacks(r.Settle)}
}

// lacks is what is missing, without the request that reads it: the detail has that.
func lacks(settle string) string {
	if i := strings.Index(settle, ": "); i > 0 {
		settle = settle[:i]
	}
	if settle == "" {
		return "what decides it was not read"
	}
	return "not read: " + settle
}

func barsCell(r *Row) screen.Cell {
	if r.Log == SeenUnknown && r.Unasked == 0 {
		return screen.Cell{Said: said(print.Doubt, "log not read")}
	}
	return screen.Cell{Bars: r.bars(), Spoken: print.Plural(r.Unasked, "sign-ins") + " without MFA in the log"}
}

// bars are its days: what was not read is void, never none.
func (r *Row) bars() []screen.Step {
	top := int32(1)
	for _, n := range r.Daily {
		top = max(top, n)
	}
	out := make([]screen.Step, len(r.days))
	for i := range r.days {
		switch {
		case !r.days[i].Read:
			out[i] = screen.Step{Void: true, High: 1}
		case i < len(r.Daily) && r.Daily[i] > 0:
			out[i] = screen.Step{High: 0.25 + 0.75*float64(r.Daily[i])/float64(top), Tone: openTone}
		}
	}
	return out
}

// openTone is the colour of what nothing asked for.
var openTone = print.Tone{Class: "open"}

func lastCell(r *Row) screen.Cell {
	switch {
	case !r.LastUnasked.IsZero():
		return screen.Cell{At: r.LastUnasked, Ago: true, Sub: print.Number(r.Unasked) + " of " + print.Number(r.SignIns)}
	case r.Log == SeenUnknown:
		return screen.Cell{Said: said(print.Doubt, "unknown")}
	case r.Log == SeenUnclear:
		return screen.Cell{Said: said(print.Doubt, "not shown"), Sub: print.Plural(r.SignIns, "sign-ins")}
	case r.Log == SeenNever:
		return screen.Cell{Text: "never seen", Quiet: true}
	}
	return screen.Cell{Text: "never", Quiet: true, Sub: print.Plural(r.SignIns, "sign-ins")}
}

func wayCell(r *Row) screen.Cell {
	if len(r.Ways) == 0 {
		return screen.Cell{Text: "–", Quiet: true}
	}
	c := screen.Cell{}
	for _, w := range r.Ways {
		c.Tags = append(c.Tags, screen.Tag{Text: w.Word, Path: wayPath(w.ID, r)})
	}
	return c
}

// wayPath is where a way out begins in the console; "" where it begins elsewhere.
func wayPath(id string, r *Row) string {
	switch id {
	case "secure_application_model", "consent_again":
		return screen.With("/automation", "q", r.UPN)
	case "require_mfa", "review_policy":
		return screen.With("/coverage/rehearse", "tenant", r.Tenant, "preset", "partner-baseline")
	}
	return screen.With("/people", "tenant", r.Tenant, "row", r.id())
}
