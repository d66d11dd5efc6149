package recommend

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/print"
)

// Text writes the explanation for a terminal.
func (x *Explanation) Text(w io.Writer, o print.Options) error {
	p := print.NewScreen(w, o)
	people := map[string]bool{}
	var acts, goes int64
	for i := range x.Used {
		people[x.Used[i].Person] = true
		acts += x.Used[i].Count
		if x.Used[i].Goes {
			goes += x.Used[i].Count
		}
	}
	p.Para("", x.Name+" at "+x.named(x.Customer), print.Bold)
	p.Para("", x.Window.words(), print.Plain)
	p.Blank()
	switch {
	case len(x.Used) == 0 && x.Incomplete != "":
		p.Headline(print.Doubt, "No recorded act was one that it could have done; not every day of the log was read.")
	case len(x.Used) == 0:
		p.Headline(print.Good, "No recorded act was one that it could have done.")
	default:
		p.Headline(print.Bad, fmt.Sprintf("It could have done %s of %s; %d of these nothing else that is granted there could do.",
			print.Plural(acts, "recorded acts"), amount(len(people), "person", "people"), goes))
	}
	if x.Theft != "" {
		p.Para("  a thief could: ", print.Saying(x.Theft), print.Dim)
	}
	if x.Settle != "" && x.Incomplete != "" {
		p.Para("  ! ", print.Saying(x.Incomplete), print.Yellow)
		p.Para("    → ", x.Settle, print.Cyan)
	}
	p.Section("Assignments that hold it", "")
	for i := range x.Items {
		it := &x.Items[i]
		word := "goes"
		if it.Stays {
			word = "stays"
		}
		if it.Sure != "" {
			word += " (" + string(it.Sure) + ")"
		}
		p.Para("  ", x.named(it.Group)+": "+word+": "+print.Saying(it.Why), print.Plain)
	}
	if len(x.Used) > 0 {
		p.Section("Who did what it could have done", "the latest first")
	}
	for i := range x.Used[:min(len(x.Used), mostLines)] {
		x.used(p, &x.Used[i])
	}
	p.More("  ", max(len(x.Used)-mostLines, 0), " in the JSON")
	return p.Flush()
}

func (x *Explanation) named(id string) string {
	return print.First(print.Clean(id, print.MaxName), x.Names[id])
}

func (x *Explanation) names(ids []string) string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, x.named(id))
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out[:min(len(out), mostItems)], ", ")
}

func (x *Explanation) used(p *print.Screen, u *ExplainedAct) {
	what := u.Activity
	if u.Target != "" && u.Target != "ordinary" {
		what += " (target: " + u.Target + ")"
	}
	p.Para("  ", fmt.Sprintf("%s · %s, last %s · %s", what, print.Plural(u.Count, "times"), u.Last.UTC().Format(time.DateOnly), print.First(u.Person,
		u.Name)),
		print.Bold)
	say := "what else has it here: " + x.names(u.Others)
	if u.Goes {
		say += "; it goes if this role goes"
	}
	p.Para("    ", say, print.Plain)
	least := "least first: " + x.names(u.Least)
	if u.Task != "" {
		least += " (Microsoft: " + u.Task + ")"
	}
	p.Para("    ", print.Saying(least), print.Dim)
}

func amount(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// UnusedText writes the list for a terminal.
func UnusedText(w io.Writer, list []Unused, r *Result, o print.Options) error {
	p := print.NewScreen(w, o)
	p.Para("", "Which granted roles did nobody need?", print.Bold)
	p.Para("", r.Window.words(), print.Plain)
	p.Blank()
	switch {
	case len(list) > 0:
		p.Headline(print.Bad, fmt.Sprintf("%d of %d granted roles can go: %d by evidence, %d without.", len(list), r.Summary.Granted, r.Summary.ByEvidence,
			r.Summary.NoEvidence))
	case r.Summary.Judged == 0:
		p.Headline(print.Doubt, "Nothing could be judged: partnerguard delegation recommend says why.")
	default:
		p.Headline(print.Good, "None.")
	}
	for _, sure := range []Sure{ByEvidence, NoEvidence} {
		n := 0
		for i := range list {
			u := &list[i]
			if u.Sure != sure {
				continue
			}
			if n++; n == 1 {
				p.Section(map[Sure]string{ByEvidence: "By evidence", NoEvidence: "Without evidence"}[sure],
					map[Sure]string{NoEvidence: "not said to be unused"}[sure])
			}
			if n <= 2*mostLines {
				say := fmt.Sprintf("%s · %s · %s: %s", u.Name, r.name(u.Customer), r.name(u.Group), u.Why)
				if u.Road {
					say += " [a way to Global Administrator]"
				}
				p.Para("  ", print.Saying(say), print.Plain)
			}
		}
		p.More("  ", max(n-2*mostLines, 0), " in the CSV and the JSON")
	}
	return p.Flush()
}

// UnusedCSV writes a row for each.
func UnusedCSV(w io.Writer, list []Unused, r *Result) error {
	out := print.NewSheet(w, "customer", "customer_tenant_id", "relationship_id", "group", "group_id", "role", "role_id", "sure", "why", "last_could_have",
		"way_to_global_administrator")
	for i := range list {
		u := &list[i]
		last := ""
		if !u.Last.IsZero() {
			last = print.Stamp(&u.Last)
		}
		out.Row(r.name(u.Customer), u.Customer, u.Relationship, r.name(u.Group), u.Group, u.Name, u.Role, string(u.Sure), u.Why, last,
			strconv.FormatBool(u.Road))
	}
	return out.Close()
}

// Text writes what would have been refused for a terminal.
func (x *Replayed) Text(w io.Writer, o print.Options) error {
	p := print.NewScreen(w, o)
	r := &Result{Names: x.Names}
	p.Para("", "What would these roles have refused?", print.Bold)
	p.Para("", r.list(x.Roles), print.Plain)
	p.Para("", x.Window.words(), print.Plain)
	p.Blank()
	switch {
	case x.Acts == 0:
		p.Headline(print.Doubt, "No recorded act calls for a role, so nothing can be said.")
	case x.Count == 0:
		p.Headline(print.Good, "None of "+print.Plural(x.Acts, "recorded acts")+".")
	default:
		p.Headline(print.Bad, fmt.Sprintf("%d of %s.", x.Count, print.Plural(x.Acts, "recorded acts")))
	}
	for i := range x.Refused[:min(len(x.Refused), 2*mostLines)] {
		f := &x.Refused[i]
		p.Para("  ", fmt.Sprintf("%s · %s · %s, %s, last %s: %s could", r.name(f.Customer), r.name(f.Group), f.Activity, print.Plural(f.Count, "times"),
			f.Last.UTC().Format(time.DateOnly), r.list(f.Kept)), print.Plain)
	}
	p.More("  ", max(len(x.Refused)-2*mostLines, 0), " in the JSON")
	return p.Flush()
}
