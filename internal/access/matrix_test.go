package access

import (
	"math/rand/v2"
	"testing"
)

// TestMatrixEqualsBruteForce: each cell says what looking at every sign-in in it says,
// and the witness of an open one is let in by Decide.
func TestMatrixEqualsBruteForce(t *testing.T) {
	t.Parallel()
	states := map[CellState]int{}
	partly, reportOnly := 0, 0
	for seed := range max(200, seeds(t)/2) { // fewer do not meet every state
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		tenant := randomTenant(r)
		if seed%2 == 1 {
			tenant = partialTenant(r) // of which much is not known
		}
		e := Compile(tenant)
		m, err := e.Matrix(MatrixBounds{})
		if err != nil {
			t.Fatal(err)
		}
		classOf := map[int]int{}
		for w := range m.Who {
			for _, s := range m.Who[w].cohort.subjects {
				classOf[int(s)] = w
			}
		}
		for range 3 { // columns by chance
			col := r.IntN(m.Columns())
			c := m.at(m.asked, col)
			surely, perhaps, closed := map[int]bool{}, map[int]bool{}, map[int]int{}
			bruteForce(e, c, func(p Point, sure, could bool) {
				w, ok := classOf[p.User]
				if !ok {
					t.Fatalf("seed %d: %s is in no class", seed, e.subject(p.User).Name)
				}
				surely[w], perhaps[w] = surely[w] || !could, perhaps[w] || !sure
				if could {
					closed[w]++
				}
			})
			for w := range m.Who {
				x := m.Cells[w][col]
				states[x.State]++
				want := func() bool {
					switch x.State {
					case CellOpen:
						return surely[w] && len(m.Lack) == 0
					case CellUnknown:
						return perhaps[w] && (!surely[w] || len(m.Lack) > 0)
					}
					return !surely[w] && !perhaps[w]
				}()
				if !want {
					t.Fatalf("seed %d: %s in column %d is %s; surely open %v, perhaps open %v", seed, m.Who[w].Name, col, x.State, surely[w], perhaps[w])
				}
				checkGap(t, m, w, col, seed)
				if x.Partly {
					partly++
				}
				if x.ReportOnly {
					reportOnly++
				}
			}
		}
	}
	for _, s := range []CellState{CellOpen, CellUnknown, CellAsked, CellBlocked, CellResistant} {
		if states[s] == 0 {
			t.Errorf("no cell was %s: %v", s, states)
		}
	}
	if partly == 0 || reportOnly == 0 {
		t.Errorf("%d cells were partly open, of %d report-only policies would close", partly, reportOnly)
	}
}

func checkGap(t *testing.T, m *Matrix, w, col, seed int) {
	t.Helper()
	gap, _ := m.Gap(w, col)
	switch state := m.Cells[w][col].State; {
	case (state == CellOpen || state == CellUnknown) != (gap != nil):
		t.Fatalf("seed %d: a cell that is %s has the gap %v", seed, state, gap)
	case state != CellOpen:
		return
	}
	s := gap.Witness.SignIn
	who, at, ok := m.Find(&s)
	if !gap.Witness.Confirmed || s.User < 0 || len(gap.Why) == 0 {
		t.Fatalf("seed %d: the witness does not hold: %+v", seed, gap.Witness)
	}
	if o := m.e.Outcome(m.e.Point(&s)); o == MFARequired || o == Blocked {
		t.Fatalf("seed %d: decided, the witness of an open cell is %s", seed, o)
	}
	if ok && (who != w || at != col) {
		t.Fatalf("seed %d: the witness of cell %d,%d is found in %d,%d", seed, w, col, who, at)
	}
}

// TestMatrixAgainstDecide: of sign-ins by chance, Decide says what their cell says.
func TestMatrixAgainstDecide(t *testing.T) {
	t.Parallel()
	seen := map[CellState]int{}
	for seed := range max(200, seeds(t)/2) { // fewer do not meet every state
		r := rand.New(rand.NewPCG(uint64(seed), 9))
		e := Compile(randomTenant(r))
		m, err := e.Matrix(MatrixBounds{})
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			s := SignIn{User: r.IntN(e.subjectCount()), Client: []string{"browser", "native", "device-code", "transfer", "other"}[r.IntN(5)],
				Platform: platformNames[r.IntN(len(platformNames))], SignInRisk: riskNames[r.IntN(4)], UserRisk: riskNames[r.IntN(4)],
				Location: e.geo.places[r.IntN(len(e.geo.places))].label, App: e.appKeys[r.IntN(len(e.appKeys))]}
			if s.App == actionRegisterInfo || s.App == actionRegisterDevice {
				continue
			}
			who, col, ok := m.Find(&s)
			if !ok {
				continue
			}
			x := m.Cells[who][col]
			seen[x.State]++
			o := e.Decide(s).Outcome
			wrong := false
			switch x.State {
			case CellBlocked:
				wrong = o != Blocked
			case CellAsked, CellResistant:
				wrong = o != Blocked && o != MFARequired && o != Undecided // a device that is not named may be the way around a second policy
				wrong = wrong || o == MFANotRequired
			case CellOpen:
				wrong = !x.Partly && (o == Blocked || o == MFARequired)
			}
			if wrong {
				t.Fatalf("seed %d: %s in column %d is %+v, and Decide says %s of %+v", seed, m.Who[who].Name, col, x, o, s)
			}
		}
	}
	for _, s := range []CellState{CellOpen, CellAsked, CellBlocked} {
		if seen[s] == 0 {
			t.Errorf("no sign-in fell into a cell that is %s: %v", s, seen)
		}
	}
}

// TestMatrixPolicies: what a policy holds alone is open without it, and what a
// report-only one would close is closed once it is on.
func TestMatrixPolicies(t *testing.T) {
	t.Parallel()
	alone, closes := 0, 0
	for seed := range max(100, seeds(t)/4) {
		r := rand.New(rand.NewPCG(uint64(seed), 8))
		tenant := randomTenant(r)
		m, err := Compile(tenant).Matrix(MatrixBounds{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Policies {
			p := &m.Policies[i]
			at := -1
			for k := range tenant.Policies {
				if tenant.Policies[k].ID == p.ID && p.ID != "" {
					at = k
				}
			}
			if at < 0 || p.Alone == 0 && p.Closes == 0 {
				continue
			}
			other := *tenant
			other.Policies = append([]*Policy(nil), tenant.Policies...)
			changed := *other.Policies[at]
			changed.State = Disabled
			if p.Closes > 0 {
				changed.State = Enabled
				closes++
			} else {
				alone++
			}
			other.Policies[at] = &changed
			then := Compile(&other)
			if p.Closes > 0 != changesFor(m, then, changed.State == Enabled) && p.Closes > 0 {
				t.Fatalf("seed %d: %s is said to close %d cells, and no witness is asked", seed, p.Name, p.Closes)
			}
			if p.Alone > 0 && countOpen(then) == 0 {
				t.Fatalf("seed %d: %s is said to hold %d cells alone, and without it nothing is open", seed, p.Name, p.Alone)
			}
		}
	}
	if alone == 0 || closes == 0 {
		t.Errorf("%d policies held something alone, %d would close something", alone, closes)
	}
}

func countOpen(e *Engine) (n int) {
	m, _ := e.Matrix(MatrixBounds{})
	for w := range m.Cells {
		for _, x := range m.Cells[w] {
			if x.State == CellOpen {
				n++
			}
		}
	}
	return n
}

// changesFor reports that the witness of some open cell is no longer let in.
func changesFor(m *Matrix, then *Engine, on bool) bool {
	names := map[string]int{}
	for i, s := range then.Subjects() {
		names[s.ID+"\x00"+s.Name] = i
	}
	for w := range m.Cells {
		for col, x := range m.Cells[w] {
			if x.State != CellOpen {
				continue
			}
			gap, _ := m.Gap(w, col)
			s := gap.Witness.SignIn
			was := m.e.subject(s.User)
			u, ok := names[was.ID+"\x00"+was.Name]
			if s.User = u; !ok {
				return on // roles are activated otherwise then
			}
			if o := then.Outcome(then.Point(&s)); o == MFARequired || o == Blocked {
				return true
			}
		}
	}
	return false
}
