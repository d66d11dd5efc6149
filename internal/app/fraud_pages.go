//go:build !judge

package app

import (
	"bytes"
	"context"

	"partnerguard/internal/fraud/contain"
	"partnerguard/internal/fraud/pages"
)

// fraudPages are the console's pages of fraud; nil where no alerts are kept.
func (i *Installation) fraudPages() pager {
	if i.Fraud == nil || i.Inquiry == nil {
		return nil
	}
	p := &pages.Pages{Desk: i.Fraud, Inquiry: i.Inquiry, Now: i.Now, Report: i.fraudReport}
	if i.Contain != nil {
		p.Runs = i.fraudRuns
		p.Approve = func(ctx context.Context, run, actor string) error {
			_, err := i.Contain.As(actor).Approve(ctx, run)
			return err
		}
	}
	return p
}

// fraudReport is a report as one HTML file.
func (i *Installation) fraudReport(ctx context.Context, alert, audience, actor string) ([]byte, error) {
	r, err := i.Inquiry.Report(ctx, alert, audience, actor)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := r.HTML(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// fraudRuns are the plans that were applied for an alert.
func (i *Installation) fraudRuns(ctx context.Context, alert string) (out []contain.Status, err error) {
	if i.Contain == nil {
		return nil, nil
	}
	all, err := i.Contain.Status(ctx, "")
	for k := range all {
		if all[k].Plan.Alert == alert {
			out = append(out, all[k])
		}
	}
	return out, err
}
