package factor_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"partnerguard/internal/factor"
	"partnerguard/internal/secret"
)

func codeAt(t interface{ Fatal(...any) }, s factor.Seed, step int64) secret.Text {
	c, err := s.Code(step)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestVerify walks one device through its days: each row starts with the state that
// the row before left. off is the device's clock against ours, in steps.
func TestVerify(t *testing.T) {
	t.Parallel()
	s, w := seedOf(rfc, factor.SHA1, 6), factor.UsualWindow()
	st := factor.State{}
	for _, row := range []struct {
		name    string
		present int64
		off     int
		want    factor.Verdict
		drift   int
	}{
		{"first code", 1000, 0, factor.Right, 0},
		{"the same again", 1000, 0, factor.Used, 0},
		{"the one before", 1000, -1, factor.Used, 0},
		{"a step later, with the old code", 1001, -1, factor.Used, 0},
		{"a step later", 1001, 0, factor.Right, 0},
		{"two ahead is recognised and not taken", 1010, 2, factor.ClockOff, 0},
		{"ten behind likewise, when never taken", 1030, -10, factor.ClockOff, 0},
		{"eleven is nothing that is known", 1030, -11, factor.Wrong, 0},
		{"one ahead is taken and learned", 1040, 1, factor.Right, 1},
		{"then two ahead is in the window", 1050, 2, factor.Right, 2},
		{"then three", 1060, 3, factor.Right, 2},
		{"and never four", 1070, 4, factor.ClockOff, 2},
		{"with a drift of two, our own time is out", 1080, 0, factor.ClockOff, 2},
		{"one ahead is in, and unlearned", 1090, 1, factor.Right, 1},
		{"far behind and used long ago", 1060, -10, factor.Used, 1},
	} {
		next, r, err := s.Verify(codeAt(t, s, row.present+int64(row.off)), time.Unix(row.present*30+29, 0), st, w)
		if err != nil || r.Verdict != row.want || next.Drift != row.drift {
			t.Fatalf("%s: %+v, state %+v, %v; want %s, drift %d", row.name, r, next, err, row.want, row.drift)
		}
		if r.Verdict != factor.Right && next != st {
			t.Errorf("%s: the state changed", row.name)
		}
		if r.Verdict != factor.Wrong && r.Off != time.Duration(row.off)*30*time.Second {
			t.Errorf("%s: off by %s", row.name, r.Off)
		}
		st = next
	}
}

func TestVerifyTyped(t *testing.T) {
	t.Parallel()
	s := seedOf(rfc, factor.SHA1, 6)
	now := time.Unix(59, 0) // 287082
	for typed, want := range map[string]factor.Verdict{
		"287082": factor.Right, " 287 082 ": factor.Right, "287-082": factor.Right,
		"": factor.Wrong, "28708": factor.Wrong, "2870820": factor.Wrong, "２８７０８２": factor.Wrong,
		"+287082": factor.Wrong, "287082\x00": factor.Wrong, "28708Z": factor.Wrong,
	} {
		if _, r, err := s.Verify(secret.New(typed), now, factor.State{}, factor.UsualWindow()); err != nil || r.Verdict != want {
			t.Errorf("%q: %+v, %v; want %s", typed, r, err, want)
		}
	}
}

// TestEachStepOnce: in whatever order codes come, no step is taken twice, and what is
// taken lies within drift and window.
func TestEachStepOnce(t *testing.T) {
	t.Parallel()
	s, w := seedOf(rfc, factor.SHA256, 8), factor.UsualWindow()
	rapid.Check(t, func(t *rapid.T) {
		taken := map[int64]bool{}
		var st factor.State
		present := int64(5000)
		for range 12 {
			present += rapid.Int64Range(-1, 3).Draw(t, "later")
			step := present + rapid.Int64Range(-5, 5).Draw(t, "off")
			next, r, err := s.Verify(codeAt(t, s, step), time.Unix(present*30, 0), st, w)
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict == factor.Right {
				if taken[r.Step] || r.Step <= st.LastStep {
					t.Fatalf("step %d is taken twice", r.Step)
				}
				if d := r.Step - present; d < -3 || d > 3 {
					t.Fatalf("step %d is taken at %d", r.Step, present)
				}
				taken[r.Step] = true
			}
			st = next
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	s := factor.NewSeed()
	for b.Loop() {
		if _, _, err := s.Verify(secret.New("000000"), time.Unix(1e9, 0), factor.State{}, factor.UsualWindow()); err != nil {
			b.Fatal(err)
		}
	}
}
