package detect_test

import (
	"fmt"
	"testing"
	"time"

	"partnerguard/internal/fraud/detect"
)

// miner is a size that was never here, and costs a little more each day from a day on.
func (w *world) miner(from, to int) {
	for d := from; d < to; d++ {
		w.line(subA, d, "m-f72", "Virtual Machines", "westeurope", "Standard_F72s_v2", 8*(1+0.25*float64(d-from)), 3)
	}
}

// A miner that grows in small steps is found, also where the subscription costs so much that no
// day's total shows it; and what was known before it was found is enough.
func TestMinerInLargeSubscription(t *testing.T) {
	t.Parallel()
	w := quiet(60)
	for d := range 60 {
		w.line(subA, d, "m-sql", "SQL Database", "westeurope", "", 900+float64(noise(uint64(d), 200)), 1)
	}
	w.miner(30, 60)
	r := report(t, w, detect.Options{})
	if len(r.Findings) != 1 || r.Findings[0].Kind != detect.KindSlowGrowth || r.Findings[0].Subscription != subA {
		t.Fatalf("%+v", r.Findings)
	}
	f := r.Findings[0]
	if at := f.Detected.Sub(start.AddDate(0, 0, 30)); at > 12*24*time.Hour {
		t.Errorf("found after %s", at)
	}
	cut := quiet(60)
	cut.usage = nil
	for _, u := range w.usage {
		if day, _ := time.Parse(time.DateOnly, u["UsageDate"].(string)); !day.AddDate(0, 0, 1).After(f.Detected) {
			cut.usage = append(cut.usage, u)
		}
	}
	g := detect.NewReport(read(t, cut.files(false), detect.Options{}), f.Detected).Findings
	if len(g) != 1 || !g[0].Detected.Equal(f.Detected) || g[0].Score != f.Score {
		t.Errorf("cut: %+v\nwhole: %+v", g, f)
	}
}

// Somebody at work here moves machines to a new region, one a day, at an hour of work: what grows
// is what he made, and no finding.
func TestMovedInSteps(t *testing.T) {
	t.Parallel()
	moved := func(seen bool) *detect.Report {
		w := quiet(60)
		for i := range 8 {
			for _, sub := range []string{subA}[:map[bool]int{true: 1}[seen]] {
				w.act(sub, start.AddDate(0, 0, 35).Add(10*time.Hour+time.Duration(i)*time.Minute), "Microsoft.Compute/virtualMachines/write",
					fmt.Sprint("Microsoft.Compute/virtualMachines/mig", i), "ada@fabrikam.example", "81.2.3.4", fmt.Sprint("mig", i), "Succeeded",
					map[string]any{"location": "northeurope",
						"properties": map[string]any{"hardwareProfile": map[string]any{"vmSize": "Standard_D16s_v5"}}})
			}
		}
		for d := 35; d < 60; d++ {
			w.line(subA, d, "m-d16", "Virtual Machines", "northeurope", "Standard_D16s_v5", 24*float64(min(8, d-34)), 0.8)
		}
		return report(t, w, detect.Options{})
	}
	if r := moved(true); len(r.Findings) != 0 {
		t.Errorf("explained: %+v", r.Findings)
	}
	if r := moved(false); len(r.Findings) != 1 {
		t.Errorf("not explained: %+v", r.Findings)
	}
}

// A weak finding of use alone hides no attack that begins days later.
func TestWeakFindingHidesNothing(t *testing.T) {
	t.Parallel()
	w := quiet(56)
	for d := 43; d < 56; d++ {
		w.line(subA, d, "m-d8", "Virtual Machines", "northeurope", "Standard_D8s_v5", 120+10*float64(d%2), 0.8)
	}
	w.attack()
	r := report(t, w, detect.Options{})
	if len(r.Findings) != 2 {
		t.Fatalf("%+v", r.Findings)
	}
	weak, attack := r.Findings[0], r.Findings[1]
	if len(weak.Callers) != 0 || attack.Kind != detect.KindGPU ||
		attack.First.Before(stolen.Add(-time.Second)) || attack.Detected.After(stolen.Add(time.Hour)) {
		t.Errorf("%+v\n%+v", weak, attack)
	}
}
