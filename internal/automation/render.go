package automation

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/print"
)

// SchemaID names the form of the JSON.
const SchemaID = "partnerguard.automation/1"

// View is a list as it is shown.
type View struct {
	Schema string `json:"schema"`
	Sample bool   `json:"sample"` // the embedded sample partner, not stored
	Stored bool   `json:"stored"` // owner and state are kept from run to run
	Items  []Item `json:"items"`
	// Changes is what this reading did to the kept items; nil when none was read.
	Changes *Merged `json:"changes,omitempty"`
	Covered []Span  `json:"covered"` // by this reading
	Beyond  int64   `json:"beyond"`  // rows of items past the limit
	// Unread names inputs that were not read whole.
	Unread []string `json:"unread"`
}

// Merged says what a reading did to the kept items, by id.
type Merged struct {
	New      []string `json:"new"`
	Reopened []string `json:"reopened"`
	Gone     []string `json:"gone"`
}

// JSON writes the view.
func JSON(w io.Writer, v *View) error {
	out := *v
	out.Schema, out.Items, out.Covered, out.Unread = SchemaID, print.List(v.Items), print.List(v.Covered), print.List(v.Unread)
	return print.JSON(w, out)
}

// CSV writes one row an item.
func CSV(w io.Writer, v *View) error {
	s := print.NewSheet(w, "id", "account", "app", "appId", "protocol", "client", "confidence", "state", "owner", "note", "story", "signIns", "withMfa",
		"withoutMfa", "stopped", "failed", "days", "addresses", "firstSeen", "lastSeen", "movedAt", "quietTo", "why", "advice", "example", "exampleSource")
	n := func(i int64) string { return strconv.FormatInt(i, 10) }
	for i := range v.Items {
		it := &v.Items[i]
		e := &it.Evidence
		example, source := "", ""
		if len(e.Examples) > 0 {
			example, source = e.Examples[0].ID, e.Examples[0].Source.String()
		}
		s.Row(it.ID, it.Name, it.AppName, it.App, string(it.Protocol), it.Client, string(it.Confidence), string(it.State), it.Owner, it.Note, it.Story,
			n(e.SignIns), n(e.WithMFA), n(e.WithoutMFA), n(e.Stopped), n(e.Failed), n(int64(e.Days)), n(int64(e.Addresses)),
			stamp(e.First), stamp(e.Last), stamp(it.MovedAt), stamp(it.QuietTo), strings.Join(it.Why, "; "), it.Advice, example, source)
	}
	return s.Close()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return print.Stamp(&t)
}

// Text writes the list for a terminal.
func Text(w io.Writer, v *View, o print.Options) error {
	p := print.NewScreen(w, o)
	if v.Sample {
		p.Para("", print.SampleWords, print.Cyan)
		p.Blank()
	}
	var open, sure, possible, gone int64
	for i := range v.Items {
		switch it := &v.Items[i]; {
		case it.State == Gone:
			gone++
		case it.Confidence == Possible:
			possible++
		default:
			open++
			if it.Confidence == Certain {
				sure++
			}
		}
	}
	switch {
	case len(v.Items) == 0:
		p.Para("", "No script or service that signs in with user credentials was found.", print.Bold)
		if len(v.Covered) == 0 {
			p.Para("", "The log that was read cannot show their absence: it takes the whole sign-in log of at least 30 days, interactive and "+
				"non-interactive (beta).", print.Plain)
		}
	case open == 0:
		p.Para("", "None is sure or likely to sign in with user credentials any more.", print.Green.Strong())
	default:
		p.Para("", fmt.Sprintf("%s or services sign in with user credentials: %d certain, %d likely.", print.Plural(open, "scripts"), sure, open-sure),
			print.Red)
	}
	if possible > 0 {
		p.Para("", fmt.Sprintf("%d more may do so; a person has to look.", possible), print.Yellow)
	}
	if gone > 0 {
		p.Para("", fmt.Sprintf("%d verified gone.", gone), print.Green)
	}
	if c := v.Changes; c != nil && len(c.New)+len(c.Reopened)+len(c.Gone) > 0 {
		p.Para("", fmt.Sprintf("This reading: %d new, %d seen again, %d verified gone.", len(c.New), len(c.Reopened), len(c.Gone)), print.Plain)
	}
	if v.Beyond > 0 {
		p.Para("! ", fmt.Sprintf("The list is not complete: %s belong to more accounts and apps than are kept apart.", print.Plural(v.Beyond, "rows")),
			print.Yellow)
	}
	for _, u := range v.Unread {
		p.Para("! ", "Not read whole: "+print.Clean(u, print.MaxSaying), print.Yellow)
	}
	for i := range v.Items {
		text(p, &v.Items[i], v.Stored)
	}
	if len(v.Items) > 0 {
		p.Blank()
		keeps := "partnerguard automation set ID --state planned|moved --owner NAME keeps track of the move"
		if !v.Stored {
			keeps += " of your own, once automation --from has read them; the sample is not kept"
		}
		p.Para("", keeps+".", print.Dim)
	}
	return p.Flush()
}

func text(p *print.Screen, it *Item, stored bool) {
	tone := print.Bad
	switch {
	case it.State == Gone:
		tone = print.Good
	case it.Confidence == Possible:
		tone = print.Doubt
	}
	app := it.AppName
	if app == "" {
		app = it.App
	}
	how := string(it.Protocol)
	if it.Client != "" {
		how = it.Client
	}
	p.Section(tone.Mark+" "+print.Clean(it.Name, print.MaxName), strings.ReplaceAll(string(it.State), "-", " "))
	p.Para("  ", fmt.Sprintf("%s by %s, %s", print.Clean(app, print.MaxName), print.Clean(how, print.MaxName), it.Confidence), tone.Style)
	e := &it.Evidence
	words := fmt.Sprintf("%s on %s", print.Plural(e.SignIns, "sign-ins"), print.Plural(int64(e.Days), "days"))
	if !e.Last.IsZero() {
		words += fmt.Sprintf(", %s to %s", e.First.UTC().Format(time.DateOnly), e.Last.UTC().Format("2006-01-02 15:04 UTC"))
	}
	words += fmt.Sprintf("; %d with MFA, %d without", e.WithMFA, e.WithoutMFA)
	for _, more := range []struct {
		n    int64
		what string
	}{{e.Stopped, "stopped for MFA"}, {e.Failed, "failed"}} {
		if more.n > 0 {
			words += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	p.Para("  ", words, print.Plain)
	for _, why := range it.Why {
		p.Para("  - ", print.Clean(why, print.MaxSaying), print.Plain)
	}
	if it.Story != "" {
		p.Para("  ! ", print.Clean(it.Story, print.MaxSaying), print.Yellow)
	}
	if len(e.Examples) > 0 {
		x := &e.Examples[0]
		p.Para("  ", "e.g. "+print.Clean(joined(x.ID, x.IP, x.Country, x.Program)+" ("+x.Source.String()+")", print.MaxSaying), print.Dim)
	}
	if it.State != Gone {
		p.Para("  to do: ", it.Advice, print.Plain)
	}
	kept := it.ID // what automation set takes; the same from run to run
	if !stored {
		p.Para("  ", kept, print.Dim)
		return
	}
	if it.Owner != "" {
		kept += ", owner " + print.Clean(it.Owner, print.MaxName)
	}
	if it.Note != "" {
		kept += ", " + print.Clean(it.Note, print.MaxSaying)
	}
	if it.State == Moved {
		kept += fmt.Sprintf("; silent until %s, verified gone after %d days", later(it.MovedAt, it.QuietTo).UTC().Format(time.DateOnly), QuietDays)
	}
	p.Para("  ", kept, print.Dim)
}

// joined leaves empty words out.
func joined(list ...string) string {
	var out []string
	for _, s := range list {
		if s != "" {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}
