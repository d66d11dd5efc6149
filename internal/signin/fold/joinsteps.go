package fold

import (
	"context"
	"slices"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/signin"
)

// The portal's download keeps the authentication steps of sign-ins in a file of
// their own. A step is kept as a row that is never counted; at the end the
// steps are joined, by request id, with the sign-ins they belong to, in
// whichever order the files came.

const (
	maxJoined = 1 << 20 // sign-ins whose verdict steps may change; the rest keep theirs
	maxSteps  = 64      // steps of one sign-in that are looked at
)

// addStep keeps one step. The texts of its row stand in the columns of a
// sign-in's.
func (f *Fold) addStep(e *signin.Event, src signin.SourceRef) {
	if e.ID == "" || e.ID == entra.NilID || len(e.Steps) == 0 {
		return
	}
	s := &e.Steps[0]
	r := &f.row
	*r = row{flags: flagStep, created: noClock, observed: noClock, device: device(s.Succeeded)}
	r.text[colID], r.text[colUserID], r.text[colUPN] = e.ID, s.Method, s.MethodDetail
	r.text[colDisplayName], r.text[colUserType] = s.ResultDetail, s.Requirement
	r.source, r.line, r.index = f.source(src), uint32(src.Line), uint32(src.Index)
	var x entry
	x.hi, x.lo, f.buf = idKey(e, f.buf)
	x.ref = f.append(r)
	f.steps = append(f.steps, x)
	if len(f.steps) >= blockEntries {
		f.sealSteps()
	}
}

func (f *Fold) sealSteps() {
	if len(f.steps) == 0 {
		return
	}
	slices.SortFunc(f.steps, compareEntry)
	id := f.st.reserve()
	f.st.seal(id, entriesAsBytes(f.steps), 0)
	f.stepBlocks = append(f.stepBlocks, id)
	f.steps = f.steps[:0]
}

// step is the step kept in r, cloned.
func (r *row) step() signin.Step {
	t := &r.text
	return signin.Step{
		Method: strings.Clone(t[colUserID]), MethodDetail: strings.Clone(t[colUPN]), Succeeded: signin.Tri(r.device),
		ResultDetail: strings.Clone(t[colDisplayName]), Requirement: strings.Clone(t[colUserType]),
	}
}

// joinedRow is what steps made of one row.
type joinedRow struct {
	ref                    rowRef
	verdict                signin.Verdict
	reason                 signin.Reason
	method, detail, result uint32 // texts for the CSV
}

// joinedRows are all of them, by place.
type joinedRows struct {
	rows  []joinedRow
	texts []string
	known map[string]uint32
}

func (j *joinedRows) text(s string) uint32 {
	n, ok := j.known[s]
	if !ok {
		if len(j.texts) >= 1<<16 {
			return 0
		}
		n = uint32(len(j.texts))
		s = strings.Clone(s)
		j.texts, j.known[s] = append(j.texts, s), n
	}
	return n
}

func (j *joinedRows) find(ref rowRef) *joinedRow {
	i, ok := slices.BinarySearchFunc(j.rows, ref, func(r joinedRow, ref rowRef) int {
		switch {
		case r.ref < ref:
			return -1
		case r.ref > ref:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return &j.rows[i]
}

// joinSteps walks the two indexes side by side. It returns what the steps
// decided, and how many sign-ins that have steps were not read.
func (f *Fold) joinSteps(ctx context.Context, superseded *marks) (j *joinedRows, orphans int64, err error) {
	if len(f.stepBlocks) == 0 {
		return nil, 0, nil
	}
	j = &joinedRows{texts: []string{""}, known: map[string]uint32{"": 0}}
	entries := newMerger(f.st, f.entryBlocks, 2<<20, compareEntry)
	steps := newMerger(f.st, f.stepBlocks, 2<<20, compareEntry)
	var r row
	var buf []byte
	e, more := entries.pop()
	s, left := steps.pop()
	for n := 0; left; n++ {
		if n&0xfff == 0 && ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		key := s
		var list []placedStep
		for ; left && s.hi == key.hi && s.lo == key.lo; s, left = steps.pop() {
			if buf, err = f.st.load(s.ref, &r, buf); err != nil {
				return nil, 0, err
			}
			list = addPlaced(list, placedStep{r.step(), f.st.place(&r)})
		}
		for more && (e.hi < key.hi || e.hi == key.hi && e.lo < key.lo) {
			e, more = entries.pop()
		}
		found := false
		for ; more && e.hi == key.hi && e.lo == key.lo; e, more = entries.pop() {
			found = true
			if superseded.has(e.ref.page(), e.ref.ordinal()) || len(j.rows) == maxJoined {
				continue
			}
			if buf, err = f.st.load(e.ref, &r, buf); err != nil {
				return nil, 0, err
			}
			if r.flags&flagJoin != 0 {
				j.add(e.ref, &r, list)
			}
		}
		if !found {
			orphans++
		}
	}
	if entries.err != nil {
		return nil, 0, entries.err
	}
	slices.SortFunc(j.rows, func(a, b joinedRow) int {
		if a.ref < b.ref {
			return -1
		}
		return 1
	})
	return j, orphans, steps.err
}

// placedStep is a step and where it stands, which orders the steps of a
// sign-in however the input was split.
type placedStep struct {
	signin.Step
	place place
}

func addPlaced(list []placedStep, s placedStep) []placedStep {
	for i := range list {
		if list[i].Step == s.Step {
			if comparePlace(s.place, list[i].place) < 0 {
				list[i].place = s.place
			}
			return list
		}
	}
	list = append(list, s)
	if len(list) > maxSteps { // the first ones in the input stay
		slices.SortFunc(list, func(a, b placedStep) int { return comparePlace(a.place, b.place) })
		list = list[:maxSteps]
	}
	return list
}

// add judges a row again, with its steps.
func (j *joinedRows) add(ref rowRef, r *row, list []placedStep) {
	slices.SortFunc(list, func(a, b placedStep) int { return comparePlace(a.place, b.place) })
	e := r.event()
	for i := range list {
		e.Steps = append(e.Steps, list[i].Step)
	}
	e.HasMFAFields = true
	now := signin.Judge(&e)
	method, detail, result := e.MFAColumns()
	j.rows = append(j.rows, joinedRow{ref, now.Verdict, now.Reason, j.text(method), j.text(detail), j.text(result)})
}

// event is an event that is judged like the one a joinable row was made of,
// and has the names that choose rows.
func (r *row) event() signin.Event {
	t := &r.text
	e := signin.Event{
		ID: t[colID], UserID: t[colUserID], UserPrincipalName: t[colUPN], UserDisplayName: t[colDisplayName], UserType: t[colUserType],
		AppID: t[colAppID], AppDisplayName: t[colAppName], ClientAppUsed: t[colClient], IPAddress: t[colIP], Country: t[colCountry],
		ServicePrincipalID: t[colServicePrincipalID], ServicePrincipalName: t[colServicePrincipalName],
		ResourceDisplayName: t[colResource], FailureReason: t[colFailureReason], MFAAuthDetail: t[colMFADetail],
		HasStatus: r.flags&flagHasStatus != 0, HasMFAFields: r.flags&flagMFAFields != 0, MFAAuthMethod: t[colMFAMethod],
		AdditionalDetails: t[colMFAResult],
	}
	if r.flags&flagCreated != 0 {
		e.Created = r.created.time()
	}
	if r.flags&flagSuccess == 0 {
		e.ErrorCode = -1
	}
	switch {
	case r.flags&flagMFARequired != 0:
		e.AuthenticationRequirement = "multiFactorAuthentication"
	case r.flags&flagSingleFactor != 0:
		e.AuthenticationRequirement = "singleFactorAuthentication"
	}
	if r.flags&flagROPC != 0 {
		e.AuthenticationProtocol = "ropc"
	}
	signin.Remains(r.flags>>remainsShift&remainsLow | r.flags>>resultShift<<4).Restore(&e)
	return e
}

// fillJoin keeps what [row.event] needs beside the columns.
func (r *row) fillJoin(e *signin.Event) {
	kept := uint32(e.Remains())
	r.flags |= flagJoin | kept&remainsLow<<remainsShift | kept>>4<<resultShift
}

// special treats a row that is more than its own: a step, a late clock, one
// that steps may decide. False means that it is not counted.
func (rr *rowReader) special(r *row, c *cursor) bool {
	f := rr.pass.fold
	if r.flags&flagStep != 0 {
		return false
	}
	if r.flags&flagLate != 0 && !f.resolve(r) {
		rr.agg.sum.OutOfRange++
		return false
	}
	if r.flags&flagJoin == 0 {
		return true
	}
	e := r.event() // before the columns change
	if j := rr.pass.joined; j != nil {
		if v := j.find(makeRef(c.run.page, c.offset, c.ordinal)); v != nil {
			r.verdict, r.reason = v.verdict, v.reason
			r.flags |= flagMFAFields
			r.altered = true
			r.text[colMFAMethod], r.text[colMFADetail], r.text[colMFAResult] = j.texts[v.method], j.texts[v.detail], j.texts[v.result]
		}
	}
	if r.flags&flagCSV != 0 && f.opt.Keep != nil {
		now := signin.Judge(&e)
		now.Verdict, now.Reason = r.verdict, r.reason
		if !f.opt.Keep(&e, now) {
			r.flags &^= flagCSV
		}
	}
	return true
}
