//go:build !judge

package app

import (
	"context"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/partner"
	"partnerguard/internal/people"
	"partnerguard/internal/posture"
	"partnerguard/internal/signin"
	"partnerguard/internal/snapshot"
)

// peopleMaker makes what the page People shows.
type peopleMaker struct {
	partner bool
	log     people.Log
}

func (m *peopleMaker) visitor(whereIs) signin.Visitor { return m.log.Visitor() }

func (m *peopleMaker) parts(_ context.Context, j *Judged, tenant string) (map[string]any, error) {
	return map[string]any{people.PartName: peopleOf(j, tenant, m.partner, &m.log)}, nil
}

// peopleOf are the accounts of a judgement as the page shows them.
func peopleOf(j *Judged, tenant string, partner bool, log *people.Log) people.Part {
	in := people.Input{Tenant: tenant, Partner: partner, At: j.Report.AsOf, Facts: j.Facts, Engine: j.Engine, Log: log, Hours: hoursOf}
	for i := range j.Report.Requirements {
		q := &j.Report.Requirements[i]
		if q.ID == settingsRule && q.Age.Past {
			in.Stale = "settings that are not older than " + (time.Duration(q.Age.AllowedHours) * time.Hour).String()
		}
	}
	for i := range j.Report.Accounts {
		a := &j.Report.Accounts[i]
		in.Accounts = append(in.Accounts, people.Account{ID: a.ID, UPN: a.UserPrincipalName, Name: a.DisplayName, Class: a.Class, InScope: a.InScope,
			Admin: a.Admin, Roles: a.Roles, Factor: a.StrongestFactor, Verdict: string(a.MFA), Reason: a.Reason, Ways: a.WaysOut, Exception: a.Exception})
	}
	return people.Build(in)
}

// settingsRule is the requirement by whose age the settings count as read.
const settingsRule = "mfa-every-user"

// hoursOf is how old a list may be: as old as the strictest rule that needs it allows.
func hoursOf(k evidence.Kind) (hours int) {
	for _, rule := range partner.Book() {
		for _, need := range rule.Needs {
			if need == k && (hours == 0 || rule.MaxAge.Hours < hours) {
				hours = rule.MaxAge.Hours
			}
		}
	}
	return hours
}

// peopleTrend are the days of a tenant's accounts, as the last judgement looked back.
func (i *Installation) peopleTrend(ctx context.Context, tenant string) ([]people.TrendDay, error) {
	p, _, err := snapshot.Get[posture.StatusPart](ctx, i.Snapshot, tenant, posture.StatusPartName)
	if err != nil || p.Back == nil {
		return nil, err
	}
	out := make([]people.TrendDay, 0, len(p.Back.Days))
	for k := range p.Back.Days {
		if d := &p.Back.Days[k]; d.Judged {
			out = append(out, people.TrendDay{Day: d.Day, Open: d.Open, Seen: d.Seen, None: d.None, Resistant: d.Resistant, Accounts: d.Accounts})
		}
	}
	return out, nil
}
