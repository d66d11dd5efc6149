package intake

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// finish turns the end of the stream into notes and the status. It returns
// only what must stop the whole reading.
func (f *file) finish(err error) error {
	var se sinkError
	if stop := f.sync(); stop != nil {
		err = stop
	}
	switch {
	case err == nil || err == io.EOF:
	case errors.As(err, &se):
		return se.error
	case f.ctx.Err() != nil:
		return f.ctx.Err()
	default:
		f.fault(f.at(place{}), 0, text.Fault(err, f.in.Compression))
	}
	f.sayLogs()
	known := false
	for _, o := range f.others {
		if kind := unjudged[strings.TrimPrefix(o.reason, emptyListOf)]; kind != "" {
			known = true
			if o.reason == strings.TrimPrefix(o.reason, emptyListOf) {
				f.in.Count(kind, o.count)
			} else {
				f.in.Count(kind, 0)
			}
		}
		msg := o.reason
		if o.count > 1 || f.taken > 0 {
			msg = fmt.Sprintf("%s: %s", plural(o.count, "record that is not judged", "records that are not judged"), o.reason)
		}
		if why, refused := strings.CutPrefix(o.reason, errorAnswer); refused {
			f.broken, f.torn = true, true
			f.refuse(why)
		}
		if kind, ok := carries[o.reason]; ok {
			f.in.Shorten(evidence.Cut{Kind: kind, Why: "is here in part only in a form that does not tell enough: " + o.reason, Source: o.first})
		}
		if unreadForms[o.reason] {
			f.broken, f.torn = true, true
		}
		f.in.Add(evidence.Note{Source: o.first, Message: msg})
	}
	if f.in.Kinds[evidence.DirectoryAudit] > 0 {
		f.in.Add(evidence.Note{Source: f.at(place{}), Message: auditEntries})
	}
	f.looksCut()
	f.sayRemarks()
	if f.taken == 0 && f.empty == emptyListOfWhat && f.o.Named != nil && !f.broken && len(f.others) == 0 {
		if kind := f.o.Named(f.in.Path); kind != "" {
			f.emptyList(kind, "")
		}
	}
	if f.taken == 0 && !f.broken && len(f.inner) == 0 && len(f.others) == 0 {
		if f.empty == "" {
			f.empty = "nothing in it"
		}
		f.in.Add(evidence.Note{Source: f.at(place{}), Message: f.empty + ": it does not say of what"})
	}
	if f.torn {
		for _, kind := range slices.Sorted(maps.Keys(f.in.Kinds)) {
			f.in.Shorten(evidence.Cut{Kind: kind, Why: "could only be read in part", Source: f.at(place{})})
		}
	}
	switch {
	case (f.broken || f.short) && f.taken > 0:
		f.in.Status = evidence.Partial
	case f.broken:
		f.in.Status = evidence.Unreadable
	case f.taken > 0 || known:
		f.in.Status = evidence.Read
	default:
		f.in.Status = evidence.NotRecognised
	}
	return nil
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
