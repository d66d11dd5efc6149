package worlds

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/fraud/detect"
)

// ours is what the detector finds in a world's files, read line by line as from a folder.
func ours(t *testing.T, w *World) (found []Found) {
	d := detect.New(w.options())
	for _, c := range w.Customers {
		k := detect.Customer{Tenant: c.ID, Name: c.Name, Domain: c.Domain, Country: c.Country, Since: w.hour(c.Since)}
		for _, s := range c.Subscriptions {
			k.Subscriptions = append(k.Subscriptions, s.ID)
		}
		d.Customer(k)
	}
	newest := w.Start
	err := w.files(func(name string, text []byte) error {
		for line := range bytes.Lines(text) {
			switch {
			case strings.HasPrefix(name, "usage/"):
				u, err := detect.ParseUsage(bytes.TrimSpace(line))
				if err != nil {
					return err
				}
				if newest.Before(u.To) {
					newest = u.To
				}
				d.Usage(&u)
			case strings.HasSuffix(name, ".jsonl"):
				e, err := detect.ParseEvent(bytes.TrimSpace(line))
				if err != nil {
					return err
				}
				d.Activity(&e)
			}
		}
		return nil
	})
	if err != nil {
		t.Errorf("world %d: %v", w.N, err)
	}
	for _, f := range d.Result(newest).Findings {
		found = append(found, Found{f.Subscription, f.Detected})
	}
	return found
}

// options are the deployments that the world declares.
func (w *World) options() (o detect.Options) {
	for _, win := range w.wins {
		o.Windows = append(o.Windows, detect.Window{Customer: win.customer, Subscriptions: []string{win.subscription}, From: win.from, To: win.until,
			Regions: []string{win.regions}, Note: win.note})
	}
	return o
}

// looked is what everybody found in a world.
type looked struct {
	w      *World
	ours   []Found
	series []*Series
}

// TestDetection holds the detector to what it promises, on the half of the worlds that nobody
// tuned on: some of them here, all by `make detection`, which also prints the table. With
// PARTNERGUARD_DETECTION=train it is the other half, for who tunes.
func TestDetection(t *testing.T) {
	t.Parallel()
	mode := os.Getenv("PARTNERGUARD_DETECTION")
	seen := each(t, func(n int) bool {
		test := (firstSeed+n)%2 == 1
		switch mode {
		case "whole":
			return true
		case "train":
			return !test
		}
		return test && (n%10 == 0 || n >= Normals && n%4 == 0)
	}, func(w *World) looked { return looked{w, ours(t, w), SeriesOf(w)} })
	var s Score
	for n := range Normals + Attacks {
		if x, ok := seen[n]; ok && x.w.Test() == (mode != "train") {
			s.Judge(x.w, x.ours)
		}
	}
	t.Log("\n" + Head + s.Row("Partnerguard"))
	for _, m := range s.Missed {
		t.Log("missed", m)
	}
	for _, f := range s.FalseWorld {
		t.Log("false", f)
	}
	if s.Recall() < 0.9 || s.FalseRate() > 0.5 || Quantile(s.ByActivity, 0.5) > 2*time.Hour {
		t.Errorf("recall %.2f, %.2f false findings in 1,000 subscription-days, %s by activity", s.Recall(), s.FalseRate(), Quantile(s.ByActivity, 0.5))
	}
	if mode == "whole" {
		t.Log("\n" + Head + s.Row("Partnerguard") + peers(seen))
	}
}

// peer is a simple detector with its parameters.
type peer interface {
	Look(*World, []*Series) []Found
}

// peers gives each peer its best parameters on the training half: the most attacks among those
// that keep within the false findings that are allowed, and the fewest false findings among those
// that see nine attacks of ten. Their rows are over the test half.
func peers(seen map[int]looked) string {
	var thresholds, moving []peer
	for _, times := range []float64{1.5, 2, 3, 4, 6, 10} {
		for _, euros := range []float64{0, 20, 50, 100, 200, 500, 1000} {
			for _, made := range []int{5, 10, 15, 20, 30, 50, 1000} {
				thresholds = append(thresholds, Thresholds{made, times, euros})
			}
		}
	}
	for _, alpha := range []float64{0.05, 0.1, 0.2, 0.3} {
		for _, deviations := range []float64{3, 4, 6, 8, 12} {
			for _, euros := range []float64{0, 20, 50, 100, 200, 500} {
				for _, made := range []int{1, 3, 5, 10, 20, 1000} {
					moving = append(moving, EWMA{alpha, deviations, euros, made})
				}
			}
		}
	}
	score := func(p peer, test bool) (s Score) {
		for n := range Normals + Attacks {
			if x := seen[n]; x.w.Test() == test {
				s.Judge(x.w, p.Look(x.w, x.series))
			}
		}
		return s
	}
	out := func(name string, p peer) string { s := score(p, true); return s.Row(name) }
	text := out("fixed thresholds, as advised (10 an hour, twice the median)", Advised)
	for _, kind := range []struct {
		name string
		of   []peer
	}{{"fixed thresholds", thresholds}, {"EWMA", moving}} {
		type tried struct {
			p peer
			s Score
		}
		var all []tried
		for _, p := range kind.of {
			all = append(all, tried{p, score(p, false)})
		}
		few := slices.MaxFunc(all, func(a, b tried) int {
			if x, y := a.s.FalseRate() <= 0.5, b.s.FalseRate() <= 0.5; x != y {
				return map[bool]int{true: 1, false: -1}[x]
			}
			return a.s.Seen - b.s.Seen
		})
		same := slices.MaxFunc(all, func(a, b tried) int {
			if x, y := a.s.Recall() >= 0.9, b.s.Recall() >= 0.9; x != y {
				return map[bool]int{true: 1, false: -1}[x]
			}
			return b.s.False - a.s.False
		})
		text += out(kind.name+", best with few false", few.p) + out(kind.name+", best with recall 0.9", same.p)
	}
	return text
}
