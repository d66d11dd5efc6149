package app

import (
	"context"

	"partnerguard/internal/access"
	"partnerguard/internal/apppassword"
	"partnerguard/internal/dates"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin"
)

// AppPasswords reads, and says for whom an app password would work, until when, and
// who depends on one. An account that nobody has is an error of kind BadInput.
func AppPasswords(ctx context.Context, r Reading, q Question, account, smtpAuth string) (*apppassword.Report, error) {
	q.settle(&r)
	log, changes := apppassword.NewLog(), dates.NewFold()
	r.Visit = func(*facts.Facts) (func() signin.Visitor, error) {
		return func() signin.Visitor { return both{log.Visitor(), changes.Visitor()} }, nil
	}
	f, err := Read(ctx, r, nil)
	if err != nil {
		return nil, err
	}
	out := apppassword.Decide(apppassword.Input{Facts: f, Engine: access.Compile(f.Tenant()), Log: log, AsOf: q.AsOf, Account: account, SMTPAuth: smtpAuth,
		Ends: dates.Look(f, changes, q.AsOf, q.Kind, q.Cloud)})
	out.Sample = r.Sample()
	if account != "" && len(out.Accounts) == 0 {
		return nil, problem.New(problem.BadInput, "no account %q is in the input", account).
			WithHint("accounts are found by user principal name or id")
	}
	return out, nil
}
