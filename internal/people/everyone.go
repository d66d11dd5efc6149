package people

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"partnerguard/internal/problem"
	"partnerguard/internal/snapshot"
)

// everybody are the accounts of all tenants, as they are shown. It is never changed.
type everybody struct {
	parts  []*Part // without their rows
	of     map[string]string
	rows   []Row // the worst first
	looked time.Time
}

// While tenants are judged one after the other, something is new every few seconds. Where
// the accounts are more than many, whoever asks has those of some seconds ago, and the new
// ones are made meanwhile: their facts are hours old.
const (
	many      = 5_000
	lookAgain = 5 * time.Second
)

// everyone are the rows of all tenants, the worst first, with the parts that there are.
func (f *Feature) everyone(ctx context.Context) ([]*Part, *prepared, error) {
	f.mu.Lock()
	was := f.all
	f.mu.Unlock()
	if was != nil && len(was.rows) > many {
		if time.Since(was.looked) >= lookAgain && f.making.TryLock() {
			go func() {
				defer f.making.Unlock()
				_, _ = f.anew(context.WithoutCancel(ctx)) // who asks next tries again
			}()
		}
		return was.parts, &prepared{rows: was.rows}, nil
	}
	f.making.Lock()
	defer f.making.Unlock()
	is, err := f.anew(ctx)
	if err != nil {
		return nil, nil, err
	}
	return is.parts, &prepared{rows: is.rows}, nil
}

// anew brings everybody up to date: parts that did not change are not read again, and
// their rows, which are in order, are not ordered again. making is held.
func (f *Feature) anew(ctx context.Context) (*everybody, error) {
	began := time.Now()
	marks, err := f.d.Snapshot.Marks(ctx, PartName)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	was := f.all
	f.mu.Unlock()
	is := &everybody{of: make(map[string]string, len(marks)), looked: began}
	list := make([]*prepared, 0, len(marks))
	for i := range marks {
		p, err := f.latest(ctx, &marks[i])
		switch {
		case errors.Is(err, problem.NotFound), errors.Is(err, snapshot.ErrBroken):
			continue // it went in between, or cannot be read: the next judgement makes it anew
		case err != nil:
			return nil, err
		}
		list, is.parts = append(list, p), append(is.parts, p.part)
		is.of[marks[i].Tenant] = p.version
	}
	if was != nil && (len(was.parts) > 1) != (len(list) > 1) {
		was = nil // rows say whose they are, or not
	}
	is.rows = merged(was, is, list)
	f.mu.Lock()
	defer f.mu.Unlock()
	for tenant := range f.prepared {
		if is.of[tenant] == "" {
			delete(f.prepared, tenant)
		}
	}
	f.all = is
	return is, nil
}

// latest are the rows of a tenant as a mark says they are.
func (f *Feature) latest(ctx context.Context, m *snapshot.Mark) (*prepared, error) {
	f.mu.Lock()
	p := f.prepared[m.Tenant]
	f.mu.Unlock()
	if p != nil && p.version == m.Version {
		return p, nil
	}
	part, now, err := snapshot.Get[Part](ctx, f.d.Snapshot, m.Tenant, PartName)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.prepare(part, now.Tenant, now.Version), nil
}

// merged are the rows of all tenants in order: those of before, where their tenant is as
// it was, and the new ones.
func merged(was, is *everybody, list []*prepared) []Row {
	var old, fresh []*Row
	total := 0
	same := func(tenant string) bool { return was != nil && was.of[tenant] != "" && was.of[tenant] == is.of[tenant] }
	for i, p := range list {
		total += len(p.rows)
		for n := range p.rows {
			if !same(is.parts[i].Tenant) {
				fresh = append(fresh, &p.rows[n])
			}
		}
	}
	if len(fresh) == 0 && was != nil && len(was.rows) == total {
		return was.rows
	}
	slices.SortStableFunc(fresh, worst)
	if was != nil {
		old = make([]*Row, 0, len(was.rows))
		for i := range was.rows {
			if r := &was.rows[i]; same(r.Tenant) {
				old = append(old, r)
			}
		}
	}
	names := map[string]string{}
	for _, p := range is.parts {
		if len(list) > 1 {
			names[p.Tenant] = cmp.Or(p.Name, p.Tenant)
		}
	}
	out := make([]Row, 0, total)
	for len(old)+len(fresh) > 0 {
		from := &fresh
		if len(fresh) == 0 || len(old) > 0 && worst(old[0], fresh[0]) <= 0 {
			from = &old
		}
		out = append(out, *(*from)[0])
		*from = (*from)[1:]
		r := &out[len(out)-1]
		r.at, r.of = len(out)-1, names[r.Tenant]
	}
	return out
}
