//go:build !judge

package app

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/intake"
	"partnerguard/internal/problem"
	"partnerguard/internal/signin/read"
)

// TimelineReading says of what a timeline is made out of files.
type TimelineReading struct {
	Reading
	Alert string // its id, Microsoft's or ours, or a beginning that no other has; "" is the only one
}

// FraudTimeline makes the timeline of an alert out of files: alerts, activity, audits,
// sign-ins, risk and usage, in any shape that exports have. Files in customers/<tenant id>/
// are that customer's. It opens no installation.
func FraudTimeline(ctx context.Context, r TimelineReading) (*inquiry.Timeline, []evidence.Input, error) {
	found := &alertSink{}
	if _, err := intake.Read(ctx, intake.Options{Stdin: r.Stdin, Now: r.Now}, r.From, found); err != nil {
		return nil, nil, err
	}
	list := fraud.Join(found.list)
	of, err := chosen(list, r.Alert)
	if err != nil {
		return nil, nil, err
	}
	now := r.AsOf
	if now.IsZero() {
		now = r.Now
	}
	s := &timelineSink{fold: inquiry.NewFold(inquiry.Options{Alert: *of, Now: now, Earlier: list, Files: true})}
	folder, err := customerFolder(r.From, of.Customer)
	if err != nil {
		return nil, nil, err
	}
	o := intake.Options{Now: r.Now, Apart: customersApart(r.From)}
	s.partner = folder != ""
	inputs, err := intake.Read(ctx, o, r.From, s)
	if err != nil || folder == "" {
		return s.fold.Timeline(), inputs, err
	}
	s.partner = false
	more, err := intake.Read(ctx, intake.Options{Now: r.Now}, []string{folder}, s)
	if err != nil {
		return nil, nil, err
	}
	return s.fold.Timeline(), append(inputs, more...), nil
}

// customerFolder finds where a customer's own files are; "" nowhere apart.
func customerFolder(from []string, tenant string) (string, error) {
	for _, p := range from {
		list, err := customerFolders(p)
		if err != nil {
			return "", err
		}
		if i := slices.IndexFunc(list, func(c CustomerFolder) bool { return c.Tenant == tenant }); i >= 0 {
			return list[i].Path, nil
		}
	}
	return "", nil
}

// chosen is the alert that is meant.
func chosen(list []fraud.Alert, id string) (*fraud.Alert, error) {
	if len(list) == 0 {
		return nil, problem.New(problem.NotFound, "no alert about Azure fraud is in what was read").
			WithHint("the files hold GET /security/partner/securityAlerts of Graph, or /v1/fraudEvents of Partner Center")
	}
	var fit []int
	for i := range list {
		a := &list[i]
		for _, name := range []string{a.ID, a.GraphID, a.EventID} {
			if name != "" && strings.EqualFold(name, id) {
				return a, nil
			}
		}
		if id == "" || strings.HasPrefix(strings.ToLower(a.ID), strings.ToLower(id)) || strings.HasPrefix(strings.ToLower(a.GraphID), strings.ToLower(id)) {
			fit = append(fit, i)
		}
	}
	switch {
	case len(fit) == 1:
		return &list[fit[0]], nil
	case len(fit) == 0:
		return nil, problem.New(problem.NotFound, "no alert is called %.60q there", id).WithHint("there is %s", someIDs(list))
	}
	return nil, problem.New(problem.Usage, "%d alerts are there", len(fit)).WithHint("name one: %s", someIDs(list))
}

func someIDs(list []fraud.Alert) string {
	var ids []string
	for i := range list {
		if i == 6 {
			ids = append(ids, "and more")
			break
		}
		ids = append(ids, list[i].ID)
	}
	return strings.Join(ids, ", ")
}

// alertSink takes alerts alone.
type alertSink struct{ list []fraud.Alert }

func (s *alertSink) Record(kind evidence.Kind, raw []byte, _ evidence.Source) (string, error) {
	if kind != evidence.SecurityAlert && kind != evidence.FraudEvent {
		return "", nil
	}
	read := fraud.ReadGraph
	if kind == evidence.FraudEvent {
		read = fraud.ReadCenter
	}
	a, err := read(raw)
	if err != nil {
		return err.Error(), nil
	}
	if a.ID == "" {
		a.ID = fraud.NewID(&a)
	}
	s.list = append(s.list, a)
	return "", nil
}

func (s *alertSink) SignInLines(ctx context.Context, r io.Reader, path string, other func([]byte, evidence.Source) error, note func(evidence.Note)) (int, error) {
	return linesAs(ctx, r, path, other, note, func([]byte, evidence.Source) error { return nil })
}

// timelineSink folds records as they are read. Of the partner's own lists, where the
// customer's are apart, what it costs alone is the customer's.
type timelineSink struct {
	fold    *inquiry.Fold
	partner bool
}

func (s *timelineSink) Record(kind evidence.Kind, raw []byte, src evidence.Source) (string, error) {
	p := inquiry.Place{File: src.String()}
	if s.partner && kind != evidence.CustomerUsage && kind != evidence.AzureActivity {
		p.Tenant = "partner"
	}
	if kind == evidence.RiskyUser || kind == evidence.SignIn || kind == evidence.DirectoryAudit || slices.Contains(evidence.Unjudged(), kind) {
		if err := s.fold.Take(kind, raw, p); err != nil {
			return err.Error(), nil
		}
	}
	return "", nil
}

// Unjudged takes what no rule is decided by: most of what is looked at is.
func (s *timelineSink) Unjudged(kind evidence.Kind, raw []byte, src evidence.Source) error {
	_, err := s.Record(kind, raw, src)
	return err
}

func (s *timelineSink) SignInLines(ctx context.Context, r io.Reader, path string, other func([]byte, evidence.Source) error, note func(evidence.Note)) (int,
	error) {
	return linesAs(ctx, r, path, other, note, func(line []byte, src evidence.Source) error {
		words, err := s.Record(evidence.SignIn, line, src)
		if words != "" {
			note(evidence.Note{Source: src, Message: "this sign-in could not be read: " + words})
		}
		return err
	})
}

// linesAs hands the lines of a stream that are sign-ins to take, and the others back.
func linesAs(ctx context.Context, r io.Reader, path string, other func([]byte, evidence.Source) error, note func(evidence.Note),
	take func([]byte, evidence.Source) error) (n int, err error) {
	err = eachLine(ctx, r, func(line []byte, number int) error {
		src := evidence.Source{Path: path, Line: number}
		switch {
		case len(line) > maxSignInLine:
			note(evidence.Note{Source: src, Message: "this line is longer than 4 MiB and was not read"})
		case read.Recognise(line):
			n++
			return take(line, src)
		case len(bytes.TrimSpace(line)) > 0:
			return other(line, src)
		}
		return nil
	})
	return n, err
}
