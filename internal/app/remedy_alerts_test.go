//go:build !judge

package app

import (
	"strings"
	"testing"
	"time"

	"partnerguard/internal/notify"
	"partnerguard/internal/remedy"
	remedyrun "partnerguard/internal/remedy/run"
)

// TestRemedyAlerts: a run that stands still between security defaults off and policies on is
// urgent, and one that goes on is not within the minutes that it takes; whatever waits for a
// person is told, and what needs nobody is not.
func TestRemedyAlerts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	off := func(s remedyrun.StepState) remedyrun.Progress {
		return remedyrun.Progress{Seq: 1, Of: 1, State: s, Asked: now.Add(-time.Minute), Step: remedy.Step{Do: remedy.Update, Kind: remedy.Defaults,
			After: []byte(`{"isEnabled":false}`)}}
	}
	on := func(of int, s remedyrun.StepState) remedyrun.Progress {
		return remedyrun.Progress{Seq: of, Of: of, State: s, Step: remedy.Step{Do: remedy.Update, Kind: remedy.Policy, After: []byte(`{"state":"enabled"}`)}}
	}
	file := &remedy.Plan{Steps: []remedy.Step{{N: 1, Kind: remedy.Defaults}, {N: 2, Kind: remedy.Policy, Do: remedy.Create, After: []byte(`{"state":"enabled"}`)},
		{N: 3, Kind: remedy.Policy, Do: remedy.Create, After: []byte(`{"state":"enabled"}`)}}}
	person := remedyrun.Progress{Seq: 4, State: remedyrun.Asked, Step: remedy.Step{Kind: remedy.Person}}
	for name, c := range map[string]struct {
		state remedyrun.State
		why   string
		at    time.Duration
		steps []remedyrun.Progress
		want  string // "" nothing is told
	}{
		"stopped, open": {remedyrun.Stopped, "", 0, []remedyrun.Progress{off(remedyrun.Done), on(2, remedyrun.Done), on(3, remedyrun.Failed)},
			"urgent 1 of 2"},
		"stopped before any":     {remedyrun.Stopped, "", 0, []remedyrun.Progress{off(remedyrun.Done)}, "urgent 0 of 2"},
		"the answer was lost":    {remedyrun.Stopped, "", 0, []remedyrun.Progress{off(remedyrun.Going)}, "urgent 0 of 2"},
		"a person is waited for": {remedyrun.Running, "", 0, []remedyrun.Progress{off(remedyrun.Done), person}, "urgent 0 of 2"},
		"goes on":                {remedyrun.Running, "", 0, []remedyrun.Progress{off(remedyrun.Done), on(2, remedyrun.Going)}, ""},
		"goes on for too long":   {remedyrun.Running, "", time.Hour, []remedyrun.Progress{off(remedyrun.Done), on(2, remedyrun.Going)}, "urgent 0 of 2"},
		"is taken back":          {remedyrun.Undoing, "", 0, []remedyrun.Progress{off(remedyrun.Undoes), on(2, remedyrun.Reverted)}, ""},
		"cannot be taken back":   {remedyrun.Undone, "", 0, []remedyrun.Progress{off(remedyrun.NotTaken), on(2, remedyrun.Reverted)}, "urgent by hand"},
		"was taken back":         {remedyrun.Undone, "", 0, []remedyrun.Progress{off(remedyrun.Reverted), on(2, remedyrun.Reverted)}, ""},
		"all is on": {remedyrun.Stopped, "", 0, []remedyrun.Progress{off(remedyrun.Done), on(2, remedyrun.Done), on(3, remedyrun.Found)},
			"warning A plan stopped"},
		"defaults stay":      {remedyrun.Stopped, "", 0, []remedyrun.Progress{off(remedyrun.Ready), on(2, remedyrun.Ready)}, "warning A plan stopped"},
		"waits for a person": {remedyrun.Running, "", 0, []remedyrun.Progress{person}, "notice step of a person"},
		"waits for a second": {remedyrun.Waiting, "", 0, nil, "notice second person"},
		"no evidence": {remedyrun.Watching, "what it does is not known: partnerguard remedy approve rr-1 --accept no-evidence:pilot --why TEXT", 0, nil,
			"notice evidence"},
		"watched":       {remedyrun.Watching, "stage pilot is watched until tomorrow", 0, nil, ""},
		"not all taken": {remedyrun.Undone, "", 0, []remedyrun.Progress{on(2, remedyrun.NotTaken)}, "warning not taken back whole"},
		"ended":         {remedyrun.Ended, "", 0, []remedyrun.Progress{off(remedyrun.Done), on(2, remedyrun.Done), on(3, remedyrun.Done)}, ""},
	} {
		s := &remedyrun.Status{Run: remedyrun.Run{ID: "rr-1", State: c.state, Why: c.why}, Steps: c.steps, File: file}
		f, is := remedyFinding(s, now.Add(c.at))
		severity, words, _ := strings.Cut(c.want, " ")
		text := f.Title + " " + f.Cause + " " + f.Fix
		if is != (c.want != "") || is && (!strings.Contains(text, words) || f.Severity != map[string]notify.Severity{"urgent": notify.Urgent,
			"warning": notify.Warning, "notice": notify.Notice}[severity]) {
			t.Errorf("%s: %v %v: %s", name, is, f.Severity, text)
		}
	}
}
