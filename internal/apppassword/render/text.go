package render

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"partnerguard/internal/apppassword"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

// Text writes the answer for a terminal: the answer first, then who, then what to do.
func Text(w io.Writer, r *apppassword.Report, o print.Options) error {
	p := print.NewScreen(w, o)
	headline(p, r)
	accounts(p, r, apppassword.Yes, "An app password works")
	accounts(p, r, apppassword.Unknown, "Not known")
	stopped(p, r)
	depend(p, r)
	register(p, &r.Register)
	p.Section("What decides in this tenant", "")
	for _, s := range r.Settings {
		p.Para("  ", s.What+": "+s.Is, print.Plain)
		if s.Settle != "" {
			p.Para("    → ", settle(s.Settle), print.Cyan)
		}
	}
	endings(p, r.Ends)
	p.Section("What holds of every app password", "")
	for _, k := range r.Known {
		p.Para("  · ", print.Ended(k), print.Dim)
	}
	return p.Flush()
}

func headline(p *print.Screen, r *apppassword.Report) {
	p.Para("", "Would an app password work here?", print.Bold)
	p.Para("", print.First("Unnamed partner", r.Partner)+" · as of "+print.When(print.SettledTime(r.AsOf)), print.Plain)
	p.Sample(r.Sample)
	p.Blank()
	t := r.Totals
	answer, say := apppassword.No, "No: for none of "+print.Plural(int64(t.Accounts), "accounts")
	switch {
	case t.Yes > 0:
		answer, say = apppassword.Yes, fmt.Sprintf("Yes: for %d of %s", t.Yes, print.Plural(int64(t.Accounts), "accounts"))
		if t.Unknown > 0 {
			say += fmt.Sprintf("; of %d it is not known", t.Unknown)
		}
	case t.Unknown == 0 && t.Accounts > 0 && !r.Whole:
		answer, say = apppassword.Unknown, "For none of "+print.Plural(int64(t.Accounts), "accounts")+" that were read; there may be more"
	case t.Unknown > 0 || t.Accounts == 0:
		answer, say = apppassword.Unknown, fmt.Sprintf("Not known of %d of %s, and yes for none", t.Unknown, print.Plural(int64(t.Accounts), "accounts"))
	}
	if t.Depend > 0 {
		say += ". Signing in by one, as the log shows: " + print.Plural(int64(t.Depend), "accounts")
	}
	p.Headline(tone(answer), say+".")
	for _, l := range r.Lacks {
		p.Para("  ! ", print.Saying(l), print.Yellow)
	}
}

// The columns of an account.
const (
	markColumn = 11
	mostShown  = 20
)

func accounts(p *print.Screen, r *apppassword.Report, answer apppassword.Answer, title string) {
	n := 0
	for i := range r.Accounts {
		a := &r.Accounts[i]
		if a.Works != answer {
			continue
		}
		if n++; n == 1 {
			p.Section(title, "")
		}
		if n > mostShown {
			continue
		}
		account(p, a)
	}
	p.More("  ", max(n-mostShown, 0), " in the CSV and the JSON")
}

func account(p *print.Screen, a *apppassword.Account) {
	const gap = 1
	body := p.Width() - markColumn - gap
	t := tone(a.Works)
	head := print.First(print.NoName, a.UPN, a.ID) + " · " + print.ClassWord(a.Class) + " · per-user MFA " + print.First("not known", a.PerUser)
	lines := print.Lines(head, body, print.Bold)
	lines = append(lines, print.Lines(print.Saying(a.Why), body, print.Plain)...)
	if s := settle(a.Settle); s != "" {
		lines = append(lines, print.Hanging("→ ", s, body, print.Cyan)...)
	}
	if a.Until != nil && a.DaysLeft != nil {
		lines = append(lines, print.Lines(print.Plural(int64(*a.DaysLeft), "days")+" left", body, print.Yellow)...)
	}
	for _, b := range a.Breaks {
		lines = append(lines, print.Hanging("✂ ", print.Saying(b), body, print.Dim)...)
	}
	p.Put([]int{markColumn, body}, gap, print.Cell(t.Mark+" "+string(a.Works), t.Style), lines)
}

// stopped are those for whom none works, by what decided that.
func stopped(p *print.Screen, r *apppassword.Report) {
	by := map[string][]string{}
	var whys []string
	for i := range r.Accounts {
		a := &r.Accounts[i]
		if a.Works != apppassword.No {
			continue
		}
		if by[a.Why] == nil {
			whys = append(whys, a.Why)
		}
		by[a.Why] = append(by[a.Why], print.First(print.NoName, a.UPN, a.ID))
	}
	if len(whys) == 0 {
		return
	}
	slices.SortStableFunc(whys, func(x, y string) int { return len(by[y]) - len(by[x]) })
	p.Section("An app password does not work", "")
	for _, why := range whys[:min(len(whys), mostShown)] {
		names := by[why]
		p.Para("  ✓ ", fmt.Sprintf("%s: %s", print.Plural(int64(len(names)), "accounts"), print.Saying(why)), print.Plain)
		if more := len(names) - partner.MaxNames; more > 0 {
			names = append(slices.Clone(names[:partner.MaxNames]), fmt.Sprintf("and %d more", more))
		}
		p.Para("    ", strings.Join(names, ", "), print.Dim)
	}
}

var depends = map[apppassword.Answer]string{apppassword.Yes: "depends on one", apppassword.No: "does not depend on one",
	apppassword.Unknown: "may depend on one"}

// depend are those that sign in by one, or may, and their ways out.
func depend(p *print.Screen, r *apppassword.Report) {
	n := 0
	for i := range r.Accounts {
		a := &r.Accounts[i]
		if len(a.Uses) == 0 && a.Holds != apppassword.Yes {
			continue
		}
		if n++; n == 1 {
			p.Section("Who depends on one, and the way out", "")
		}
		if n > mostShown {
			continue
		}
		word := depends[a.Depends]
		p.Para("  ", print.First(print.NoName, a.UPN, a.ID)+": "+word+"; "+print.Clean(a.DependsWhy, print.MaxSaying), print.Bold)
		if a.Holds == apppassword.Yes {
			p.Para("    ", "It has one: "+print.Clean(a.HoldsWhy, print.MaxSaying)+". Once it has moved, delete it: a password reset does not revoke it.",
				print.Plain)
		}
		for k := range a.Uses {
			u := &a.Uses[k]
			line := fmt.Sprintf("%s: %s", print.Clean(u.Client, print.MaxName), print.Plural(u.Rows, "sign-ins"))
			if !u.Last.IsZero() {
				line += ", last " + print.When(u.Last)
			}
			p.Para("    ", line, print.Plain)
		}
		for k := range a.Ways {
			p.Para("    → ", print.Sentence(a.Ways[k].Text)+". It needs "+a.Ways[k].Needs+".", print.Cyan)
		}
	}
	p.More("  ", max(n-mostShown, 0), " in the CSV and the JSON")
}

func register(p *print.Screen, r *apppassword.Register) {
	p.Section("Who made and deleted them", "")
	switch {
	case r.Since == nil && r.Whole:
		p.Para("  ", "The directory's audit log was read, and has no row.", print.Plain)
	case r.Since == nil:
		p.Para("  ", "The directory's audit log was not read, so nothing is known of it.", print.Plain)
	case !r.Whole:
		p.Para("  ", "Since "+print.When(*r.Since)+", and not whole. What was made before is not known.", print.Plain)
	default:
		p.Para("  ", "Since "+print.When(*r.Since)+". What was made before is not known.", print.Plain)
	}
	if s := settle(r.Settle); s != "" {
		p.Para("    → ", s, print.Cyan)
	}
	for i := range r.Entries[:min(len(r.Entries), mostShown)] {
		e := &r.Entries[i]
		line := fmt.Sprintf("%s %s one for %s", print.First("somebody", e.By), e.Act, print.First(print.NoName, e.Account))
		if e.Result != "" && !strings.EqualFold(e.Result, "success") {
			line += " (" + print.Clean(e.Result, print.MaxName) + ")"
		}
		p.Para("  ", print.When(e.At)+" "+line, print.Plain)
	}
	p.More("  ", max(len(r.Entries)-mostShown, 0), " in the JSON")
}

// endings are the dated changes, with whom they hit by name.
func endings(p *print.Screen, list []partner.Outlook) {
	for i := range list {
		if i == 0 {
			p.Section("What ends here, by date", "")
		}
		o := &list[i]
		mark, style := "  ? ", print.Yellow
		switch o.Answer {
		case partner.Hit:
			mark, style = "  ✗ ", print.Red
		case partner.Nobody:
			mark, style = "  ✓ ", print.Green
		}
		left := ""
		switch {
		case o.Standing == "past":
			left = ", past"
		case o.DaysLeft > 0:
			left = ", " + print.Plural(int64(o.DaysLeft), "days") + " left"
		}
		p.Para(mark, o.When()+left+": "+o.What, style)
		say := print.Ended(print.Saying(o.Text))
		if len(o.Names) > 0 {
			names := make([]string, len(o.Names))
			for n := range o.Names {
				names[n] = print.Clean(o.Names[n], print.MaxName)
			}
			say = strings.TrimSuffix(say, ".") + ": " + strings.Join(names, ", ")
			if o.More > 0 {
				say += fmt.Sprintf(" and %d more", o.More)
			}
		}
		p.Para("    ", say, print.Plain)
		if s := settle(o.Settle); s != "" {
			p.Para("    → ", s, print.Cyan)
		}
	}
}
