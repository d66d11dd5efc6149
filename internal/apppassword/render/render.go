package render

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/apppassword"
	"partnerguard/internal/evidence"
	"partnerguard/internal/print"
)

// JSON writes all of it; lists are never null.
func JSON(w io.Writer, r *apppassword.Report) error {
	c := *r
	c.AsOf = print.SettledTime(c.AsOf)
	c.Settings, c.Accounts, c.Ends = print.List(c.Settings), print.List(slices.Clone(c.Accounts)), print.List(slices.Clone(c.Ends))
	for i := range c.Accounts {
		a := &c.Accounts[i]
		a.Until = print.Settled(a.Until)
		a.Uses = print.List(slices.Clone(a.Uses))
		for n := range a.Uses {
			a.Uses[n].First, a.Uses[n].Last = print.SettledTime(a.Uses[n].First), print.SettledTime(a.Uses[n].Last)
		}
	}
	for i := range c.Ends {
		c.Ends[i].Names = print.List(c.Ends[i].Names)
	}
	c.Register.Since = print.Settled(c.Register.Since)
	c.Register.Entries = print.List(slices.Clone(c.Register.Entries))
	for i := range c.Register.Entries {
		c.Register.Entries[i].At = print.SettledTime(c.Register.Entries[i].At)
	}
	c.Known, c.Lacks, c.Inputs = print.List(c.Known), print.List(c.Lacks), print.List(c.Inputs)
	return print.JSON(w, &c)
}

// CSV writes one row for each account and protocol.
func CSV(w io.Writer, r *apppassword.Report) error {
	out := print.NewSheet(w, "account", "id", "class", "per_user_mfa", "works", "why", "protocol", "protocol_works", "protocol_why", "policies",
		"report_only", "settle", "until", "days_left", "holds", "depends", "sign_ins", "last_sign_in", "way_out", "way_needs")
	for i := range r.Accounts {
		a := &r.Accounts[i]
		left := ""
		if a.DaysLeft != nil {
			left = strconv.Itoa(*a.DaysLeft)
		}
		for n := range a.Paths {
			p := &a.Paths[n]
			until, days := print.Stamp(a.Until), left
			if p.ID != "smtp" || p.Works == apppassword.No {
				until, days = "", ""
			}
			var rows int64
			last := ""
			for k := range a.Uses {
				if u := &a.Uses[k]; u.Protocol == p.ID {
					rows += u.Rows
					last = max(last, print.Stamp(&u.Last))
				}
			}
			way, needs := "", ""
			for k := range a.Ways {
				if a.Ways[k].Protocol == p.ID {
					way, needs = a.Ways[k].Text, a.Ways[k].Needs
					break
				}
			}
			out.Row(cmp.Or(a.UPN, a.ID), a.ID, string(a.Class), a.PerUser, string(a.Works), a.Why, p.Name, string(p.Works), p.Why,
				strings.Join(p.Policies, " | "), strings.Join(p.Report, " | "), p.Settle, until, days, string(a.Holds), string(a.Depends),
				strconv.FormatInt(rows, 10), last, way, needs)
		}
	}
	return out.Close()
}

// tone is how an answer is shown: an app password that works is what is wrong.
func tone(a apppassword.Answer) print.Tone {
	switch a {
	case apppassword.Yes:
		return print.Bad
	case apppassword.No:
		return print.Good
	}
	return print.Doubt
}

func settle(ask string) string {
	switch {
	case ask == "":
		return ""
	case evidence.IsRequest(ask):
		return "export " + evidence.Brief(ask)
	}
	return "settled by " + evidence.Brief(ask)
}
