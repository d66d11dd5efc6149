//go:build !judge

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/archive"
	"partnerguard/internal/collect"
	"partnerguard/internal/evidence"
	"partnerguard/internal/fraud"
	"partnerguard/internal/fraud/desk"
	"partnerguard/internal/fraud/inquiry"
	"partnerguard/internal/lenient"
	"partnerguard/internal/problem"
)

// makeInquiry makes what investigates alerts about Azure fraud. It reads Microsoft only where
// the vault is open; the archive's rows it has always.
func (i *Installation) makeInquiry() (err error) {
	d := inquiry.Deps{Record: i.Trail, Now: i.Now, Log: i.Log, Case: i.inquiryCase, Waiting: i.inquiryWaiting, Earlier: i.inquiryEarlier,
		Partner: i.inquiryPartner, Standing: i.inquiryStanding, Records: i.inquiryRecords}
	if i.SAM != nil {
		d.Collect = i.inquiryCollect
	}
	if i.Inquiry, err = inquiry.New(d); err != nil || i.Fraud == nil {
		return err
	}
	asks := i.Inquiry
	i.Fraud.OnNew(func(ctx context.Context, c desk.Case) {
		if err := asks.Begin(ctx, c.Customer); err != nil { // it is found by itself later
			i.Log.WarnContext(ctx, "an alert is not looked into at once", "alert", c.ID, "error", err)
		}
	})
	return nil
}

// errNoDesk says that there are no alerts, since nothing keeps them.
var errNoDesk = problem.New(problem.Unavailable, "no alerts about Azure fraud are kept here")

func (i *Installation) inquiryCase(ctx context.Context, id string) (*inquiry.Case, error) {
	if i.Fraud == nil {
		return nil, errNoDesk
	}
	c, err := i.Fraud.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	out := caseOf(c)
	done, err := i.containedFor(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	out.Done = append(out.Done, done...)
	slices.SortStableFunc(out.Done, func(a, b inquiry.Done) int { return a.At.Compare(b.At) })
	return out, nil
}

// caseOf is a case of the desk as an inquiry takes it.
func caseOf(c *desk.Case) *inquiry.Case {
	out := &inquiry.Case{Alert: c.Alert, Known: c.Seen}
	for _, n := range c.Notes {
		out.Done = append(out.Done, inquiry.Done{At: n.At, By: n.By, What: "noted: " + n.Text, Private: true})
	}
	if a := c.Answer; a != nil {
		out.Done = append(out.Done, inquiry.Done{At: a.At, By: a.By, What: "answered Microsoft: " + string(a.Reason), Outcome: string(a.State)})
	}
	return out
}

// inquiryWaiting are the alerts that are looked into by themselves.
func (i *Installation) inquiryWaiting(ctx context.Context) (out []inquiry.Case, err error) {
	if i.Fraud == nil {
		return nil, nil
	}
	list, err := i.Fraud.List(ctx, desk.Filter{Open: true, NoTests: true})
	for k := range list {
		if !list[k].Aged && list[k].Refused == "" {
			out = append(out, *caseOf(&list[k]))
		}
	}
	return out, err
}

func (i *Installation) inquiryEarlier(ctx context.Context, of *fraud.Alert) (out []fraud.Alert, err error) {
	if i.Fraud == nil || of.Customer == "" {
		return nil, nil
	}
	list, err := i.Fraud.List(ctx, desk.Filter{Customer: of.Customer, NoTests: true})
	for k := range list {
		if list[k].ID != of.ID && list[k].Refused == "" {
			out = append(out, list[k].Alert)
		}
	}
	return out, err
}

// inquiryPartner is the partner's own tenant, as the readings know it.
func (i *Installation) inquiryPartner(ctx context.Context) (string, error) {
	t, err := i.Collect.Tenant(ctx, "partner")
	return t.ID, err
}

// inquiryStanding tells how resources of a tenant stand.
func (i *Installation) inquiryStanding(ctx context.Context, tenant string, resources []string) (out []inquiry.Stand, err error) {
	t, err := i.Collect.Tenant(ctx, tenant)
	if err != nil {
		return nil, err
	}
	list, err := i.Collect.Status(ctx, t.ID)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	for _, r := range list[0].Resources {
		if !slices.Contains(resources, r.Resource) {
			continue
		}
		s := inquiry.Stand{Resource: r.Resource, Read: r.Last, Refused: r.State == "refused", Failing: r.State == "failing", Why: r.Words, Needs: r.Needs}
		if x, ok := evidence.ResourceNamed(r.Resource); ok && x.Way == evidence.Sliced {
			s.Read = r.Covered
		}
		out = append(out, s)
	}
	return out, nil
}

// inquiryWait is how long it is waited for somebody else who reads the tenant.
const inquiryWait = 3 * time.Minute

// inquiryCollect reads resources of a tenant now. What is refused or fails is no error: the
// readings know it.
func (i *Installation) inquiryCollect(ctx context.Context, tenant string, resources []string) error {
	if _, err := i.Collect.Meet(ctx); err != nil {
		return err
	}
	t, err := i.Collect.Tenant(ctx, tenant)
	if err != nil {
		return err
	}
	var only []string
	for _, name := range resources {
		if r, ok := evidence.ResourceNamed(name); ok && r.Scope.Covers(t.Partner) && !slices.Contains(i.Config.Collect.Skip, name) {
			only = append(only, name)
		}
	}
	if len(only) == 0 {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, inquiryWait)
	defer stop()
	_, err = i.Collect.Round(ctx, t.ID, collect.Ask{Only: only, Now: true, Busy: func(collect.Tenant) {}})
	if errors.Is(err, context.DeadlineExceeded) {
		return problem.Wrap(err, problem.Conflict, "the tenant is read by another process, or slowly").WithHint("what was read is kept; it goes on by itself")
	}
	return err
}

// inquiryRecords hands out records of the archive with where each lies.
func (i *Installation) inquiryRecords(ctx context.Context, q inquiry.Query, each func(evidence.Kind, []byte, inquiry.Place) error) ([]inquiry.Segment, error) {
	kinds := map[string]evidence.Kind{}
	for _, name := range q.Resources {
		if r, ok := evidence.ResourceNamed(name); ok {
			kinds[name] = r.Kind
		}
	}
	var out []inquiry.Segment
	for s, err := range i.Archive.Segments(ctx, archive.Query{Tenant: q.Tenant, From: q.Since}) {
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(s.Runs, func(p archive.Part) bool { return kinds[p.Resource] != "" }) {
			continue
		}
		if !s.Removed.IsZero() {
			continue
		}
		out = append(out, inquiry.Segment{Name: s.Name, Tenant: s.Tenant, Seq: s.Seq, SHA256: s.SHA256, Root: s.Root, Made: s.Made})
		if err := i.segmentRecords(ctx, &s, kinds, each); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// segmentRecords hands out the records of one segment.
func (i *Installation) segmentRecords(ctx context.Context, s *archive.Segment, kinds map[string]evidence.Kind,
	each func(evidence.Kind, []byte, inquiry.Place) error) error {
	entry := int64(-1)
	return i.Archive.Read(ctx, *s, func(p *archive.Page) error {
		entry++
		kind := kinds[p.Resource]
		if kind == "" || p.Status != http.StatusOK {
			return nil
		}
		at := inquiry.Place{Tenant: strings.ToLower(p.Tenant), Resource: p.Resource, Segment: s.Name, Entry: entry, Seq: s.Seq, SHA256: sum256(p.Body), Read: p.At}
		return recordsOfPage(p.Body, func(raw []byte) error { return each(kind, raw, at) })
	}, func(*archive.Run) error { entry++; return nil })
}

// recordsOfPage takes a page apart: the elements of its list, or the one object that it is.
func recordsOfPage(body []byte, each func([]byte) error) error {
	list := bytes.TrimSpace(body)
	if len(list) > 0 && list[0] == '{' {
		var found json.RawMessage
		lenient.Members(body, func(name string, value json.RawMessage) {
			if (strings.EqualFold(name, "value") || strings.EqualFold(name, "items")) && len(value) > 0 && value[0] == '[' {
				found = value
			}
		})
		if found == nil {
			return each(list)
		}
		list = found
	}
	var all []json.RawMessage
	if json.Unmarshal(list, &all) != nil {
		return nil // the archive keeps it; nothing of it can be read
	}
	for _, raw := range all {
		if err := each(raw); err != nil {
			return err
		}
	}
	return nil
}
