package app_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/archive"
	"partnerguard/internal/archive/archivetest"
	"partnerguard/internal/archive/view"
	"partnerguard/internal/evidence"
	"partnerguard/internal/sample"
)

// beside is a view with gaps beside it.
type beside struct {
	*view.View
	gaps []evidence.Input
}

func (b beside) Lacking() []evidence.Input { return b.gaps }

// withGaps is a reading of the archive beside a ledger.
func withGaps(a *archive.Archive, gaps ...evidence.Gap) app.Reading {
	r := fromArchive(a)
	open := r.Archive
	r.Archive = func(ctx context.Context, of app.Archived) (fs.FS, error) {
		v, err := open(ctx, of)
		if err != nil {
			return nil, err
		}
		return beside{v.(*view.View), app.GapsAsInputs(gaps, of.Since)}, nil
	}
	return r
}

// A verdict over a gap says so: what rests on a log of which an hour was never read, or
// on a list that was refused, is not met but unknown, and the report names the gap and
// what settles it. What is not met stays so: a gap hides no breach.
func TestVerdictsOverGaps(t *testing.T) {
	t.Parallel()
	a := collected(t, archivetest.Source{Per: 50, At: sample.AsOf.Add(-time.Minute)})
	hour := sample.AsOf.Add(-72 * time.Hour)
	for name, c := range map[string]struct {
		gap   evidence.Gap
		turns bool   // some verdict
		says  string // somewhere in the report
	}{
		"an hour of sign-ins": {evidence.Gap{Resource: "signIns.interactiveUser", Kind: evidence.SignIn, From: hour, To: hour.Add(time.Hour),
			Reason: evidence.GapFailed, Why: "what was asked failed each time", Can: "it is asked again, as long as Microsoft keeps it"}, true,
			"lacks " + hour.UTC().Format(time.RFC3339) + " to "},
		"an hour before anybody looks": {evidence.Gap{Resource: "signIns.interactiveUser", Kind: evidence.SignIn, From: hour.AddDate(-1, 0, 0),
			To: hour.AddDate(-1, 0, 0).Add(time.Hour), Why: "what was asked failed each time"}, false, ""},
		"the sign-ins of apps": {evidence.Gap{Resource: "signIns.servicePrincipal", Kind: evidence.SignIn, Why: "it was never read"}, false, ""},
		"a list that is refused": {evidence.Gap{Resource: "securityAlerts", Kind: evidence.SecurityAlert, Reason: evidence.GapPermission,
			Why: "the app may not read it", Can: "partnerguard connect --feature collect"}, true,
			"was not read: the app may not read it; partnerguard connect --feature collect"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v, err := a.View(t.Context(), archive.ViewOf{Tenant: contoso})
			if err == nil {
				err = app.TellInputs(v, app.GapsAsInputs([]evidence.Gap{c.gap}, sample.AsOf.AddDate(0, 0, -30)))
			}
			dir := t.TempDir()
			if err == nil {
				err = v.Export(t.Context(), dir, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			folder, live := verdicts(judged(t, app.Reading{From: []string{dir}})), verdicts(judged(t, withGaps(a, c.gap)))
			for i := range folder {
				gap := "archive:" + c.gap.Resource
				was := strings.ReplaceAll(strings.ReplaceAll(folder[i], dir+"/gaps/"+c.gap.Resource+".json", gap), dir+"/", "archive:"+contoso+"/")
				if was != live[i] {
					t.Errorf("a folder that was exported says\n%s\nand the archive\n%s", was, live[i])
				}
			}
			want, report := verdicts(judged(t, fromArchive(a))), judged(t, withGaps(a, c.gap))
			got, turned := verdicts(report), 0
			for i := range got {
				was, is := strings.Split(want[i], " | ")[1], strings.Split(got[i], " | ")[1]
				switch {
				case was == is:
				case was == "met" && is == "unknown":
					turned++
				default:
					t.Errorf("a gap turns\n%s\ninto\n%s", want[i], got[i])
				}
			}
			if c.turns != (turned > 0) {
				t.Errorf("%d verdicts turned:\n%s", turned, strings.Join(got, "\n"))
			}
			told := slices.ContainsFunc(report.Inputs, func(in evidence.Input) bool {
				return slices.ContainsFunc(in.Cuts, func(x evidence.Cut) bool { return c.says != "" && strings.Contains(x.Why, c.says) && x.Settle() != "" })
			})
			if told != (c.says != "") {
				t.Errorf("the report names the gap: %v", told)
			}
		})
	}
}
