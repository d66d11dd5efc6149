package intake

import (
	"archive/zip"
	"bytes"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/lenient"
)

// times are what is known of an input before it is opened.
func (o Options) times(j *job) evidence.Times {
	t := evidence.Times{Read: o.Now.UTC(), Root: j.root}
	if !j.mtime.IsZero() && !j.mtime.After(o.Now.Add(24*time.Hour)) { // a clock ahead of ours tells nothing
		t.Written = utc(j.mtime)
	}
	if !o.Stated.IsZero() {
		t.Stated = utc(o.Stated)
	}
	if o.Dated != nil {
		if at := o.Dated(j.path); at.Year() >= 2000 {
			t.Stated = utc(at)
		}
	}
	return t
}

func utc(at time.Time) *time.Time {
	at = at.UTC()
	return &at
}

// entryTimes are those of a file in an archive: it was written no later than the
// archive.
func (f *file) entryTimes(e *zip.File) evidence.Times {
	t := f.in.Times
	t.Newest, t.Live = nil, false
	if m := e.Modified; m.Year() >= 2000 && (t.Written == nil || m.Before(*t.Written)) {
		t.Written = utc(m)
	}
	return t
}

// pastMembers are the members that say when something happened or was changed,
// in lower case. Members that say when something is to end are none of them.
var pastMembers = map[string]bool{
	"createddatetime": true, "createdon": true, "modifieddatetime": true, "lastmodifieddatetime": true, "updateddatetime": true,
	"lastupdateddatetime": true, "detecteddatetime": true, "firstobserveddatetime": true, "lastobserveddatetime": true, "resolvedondatetime": true,
	"eventtime": true, "firstobserved": true, "lastobserved": true, "lastnonmfacompliantrequestdatetime": true,
	"lastnonmfacompliantlogindatetime": true, "requestdatetime": true, "logindate": true, "activateddatetime": true, "deleteddatetime": true,
	"onpremiseslastsyncdatetime": true, "lastpasswordchangedatetime": true, "signinsessionsvalidfromdatetime": true, "reneweddatetime": true,
	"externaluserstatechangedatetime": true, "creationtime": true, "whencreated": true, "whenchanged": true, "registereddatetime": true,
}

const longestPast = 40

// date takes note of the moments that a record carries of itself. Sign-ins are
// dated by whoever counts them, who reads their clocks with more care.
func (f *file) date(kind evidence.Kind, raw []byte) {
	if isLog(kind) {
		return
	}
	text.Members(raw, func(key, val []byte) bool {
		if len(key) > longestPast || len(val) < 8 || val[0] != '"' && val[0] != '{' {
			return true
		}
		low := f.facts.lower(key)
		switch {
		case val[0] == '"' && pastMembers[string(low)]:
			f.moment(kind, val)
		case val[0] == '{' && string(low) == "signinactivity":
			text.Members(val, func(_, v []byte) bool { f.moment(kind, v); return true })
		}
		return true
	})
}

func (f *file) moment(kind evidence.Kind, val []byte) {
	if len(val) < 8 || val[0] != '"' {
		return
	}
	inner := val[1 : len(val)-1]
	s := string(inner)
	if bytes.IndexByte(inner, '\\') >= 0 {
		s = text.Unquote(val)
	}
	if at, ok := lenient.ParseTime(s); ok {
		f.in.Times.See(at, evidence.IsLive(kind))
	}
}

// stated takes note of the moment that an export gives for itself. Of several the
// earliest counts.
func (f *file) stated(s string) {
	at, ok := lenient.ParseTime(s)
	t := &f.in.Times
	if !ok || at.Year() < 2000 || at.After(t.Read.Add(24*time.Hour)) || t.Stated != nil && !at.Before(*t.Stated) {
		return
	}
	t.Stated = &at
}

const (
	// exportMoment is the file in which the lines of an export plan say when they
	// were run.
	exportMoment = "the moment of an export"
	scubaMoment  = "timestamp_zulu" // ScubaGear's, beside the settings it read
)

// answered takes note of the Date of an answer whose headers were recorded
// (RFC 9110, section 6.6.1).
func (f *file) answered(headers []byte) {
	text.Members(headers, func(key, val []byte) bool {
		if len(key) == len(`"Date"`) && string(f.facts.lower(key)) == "date" && len(val) > 2 && val[0] == '"' {
			if at, err := time.Parse(time.RFC1123, text.Unquote(val)); err == nil {
				f.stated(at.UTC().Format(time.RFC3339))
			}
		}
		return true
	})
}
