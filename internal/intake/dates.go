package intake

import (
	"cmp"
	"path/filepath"
	"strings"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
	"partnerguard/internal/lenient"
)

const (
	// viewMoments is the file in which an export of the archive says when each of
	// its files was answered.
	viewMoments = "the moments of an archive's export"
	viewName    = "archive-view.json"
	// viewGaps is a file in which it says what was to be read of a resource and was not.
	viewGaps = "the gaps of an archive's export"
)

// maxCutText bounds a text that a file says of a gap.
const maxCutText = 1000

// lacks takes note of the gaps that the input tells of: the lists of these kinds are
// not whole, whatever lies beside it.
func (f *file) lacks(gaps []byte) {
	text.Elements(gaps, func(v []byte) {
		said := func(name string) string {
			s := text.Unquote(text.Member(v, name))
			return strings.ToValidUTF8(s[:min(len(s), maxCutText)], "")
		}
		if len(v) > 0 && v[0] == '{' {
			f.in.Shorten(evidence.Cut{Kind: evidence.Kind(said("kind")), Why: cmp.Or(said("why"), "is not whole"), Request: said("request"),
				Source: evidence.Source{Path: f.in.Path}})
		}
	})
}

// dates are what such files say of others beside them.
type dates struct {
	now time.Time
	of  map[string]time.Time // by path
}

// maxDated bounds the files of which it is believed.
const maxDated = 1 << 20

// datesOthers takes note of the moments that the input gives for the files beside
// and below it. One that was renamed dates nothing: it may have been moved to
// others.
func (f *file) datesOthers(files []byte) {
	dir, ok := strings.CutSuffix(filepath.ToSlash(f.in.Path), viewName)
	if !ok || f.dates == nil || dir != "" && !strings.HasSuffix(dir, "/") && !strings.HasSuffix(dir, ":") && !strings.HasSuffix(dir, "!") {
		return
	}
	text.Members(files, func(name, v []byte) bool {
		at, ok := lenient.ParseTime(text.Unquote(text.Member(v, "at")))
		if !ok || at.Year() < 2000 || at.After(f.dates.now.Add(24*time.Hour)) || len(f.dates.of) >= maxDated {
			return true
		}
		if f.dates.of == nil {
			f.dates.of = map[string]time.Time{}
		}
		f.dates.of[dir+text.Unquote(name)] = at.UTC()
		return true
	})
}

// settle dates the inputs that were told of. What an input says of itself counts
// where it is earlier.
func (d *dates) settle(inputs []evidence.Input) {
	if d.of == nil {
		return
	}
	for i := range inputs {
		t := &inputs[i].Times
		if at, ok := d.of[filepath.ToSlash(inputs[i].Path)]; ok && (t.Stated == nil || at.Before(*t.Stated)) {
			t.Stated = &at
		}
	}
}
