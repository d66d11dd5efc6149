package app

import (
	"context"
	"io/fs"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
	"partnerguard/internal/vouch"
)

// FromArchive begins what names the archive among the inputs, with a tenant's id
// behind it or nothing.
const FromArchive = "archive:"

// Archived says what of the archive is read.
type Archived struct {
	Tenant string    // "" is the partner's own, or the only one
	AsOf   time.Time // what was answered later is left out; zero: nothing is
	Since  time.Time // of logs, what was answered earlier is left out
}

// logDays is how far back logs are read where nobody says since when: as far as an
// export goes.
const logDays = 30

// FromArchive reports that some of what is read lies in the archive.
func (r *Reading) FromArchive() bool {
	for _, p := range r.From {
		if strings.HasPrefix(p, FromArchive) {
			return true
		}
	}
	return false
}

// lacking is a moment of the archive that knows what is not in it.
type lacking interface{ Lacking() []evidence.Input }

// gapsOf are what the archives that are read know not to hold.
func gapsOf(mounts map[string]fs.FS) (out []evidence.Input) {
	for _, m := range mounts {
		if l, ok := m.(lacking); ok {
			out = append(out, l.Lacking()...)
		}
	}
	return out
}

// mounts opens what is read from the archive.
func (r *Reading) mounts(ctx context.Context) (map[string]fs.FS, error) {
	var out map[string]fs.FS
	for _, p := range r.From {
		tenant, ok := strings.CutPrefix(p, FromArchive)
		if !ok || out[p] != nil {
			continue
		}
		if r.Archive == nil {
			return nil, problem.New(problem.Usage, "this program keeps no archive").
				WithHint("name files and folders with --from; partnerguard archive export, of the whole program, writes a folder that is read the same way")
		}
		if len(out) > 0 {
			return nil, problem.New(problem.Usage, "one tenant of the archive is read at a time").WithHint("name one of %s", strings.Join(r.From, ", "))
		}
		a := Archived{Tenant: strings.ToLower(tenant), AsOf: r.AsOf, Since: r.logsSince()}
		fsys, err := r.Archive(ctx, a)
		if err != nil {
			return nil, err
		}
		if b, ok := fsys.(interface{ known() known }); ok {
			r.beside = b.known()
		}
		out = map[string]fs.FS{p: fsys}
	}
	return out, nil
}

// logsSince is since when logs are read from the archive.
func (r *Reading) logsSince() time.Time {
	if !r.Since.IsZero() {
		return r.Since
	}
	for _, end := range []time.Time{r.AsOf, r.At, r.Now} {
		if !end.IsZero() {
			return end.AddDate(0, 0, -logDays)
		}
	}
	return time.Now().AddDate(0, 0, -logDays)
}

// known is what is known beside what lies in an archive: what people vouch for, and what
// is left out, kept in the database.
type known struct{ vouched []vouch.Statement }

// tell adds it to what was read.
func (k *known) tell(f *facts.Facts) {
	f.Vouched = append(f.Vouched, k.vouched...)
}
