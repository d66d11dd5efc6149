package fold

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/read"
)

// foldRows decodes records as they stand in one input and folds them.
func foldRows(t *testing.T, opt Options, records ...string) (signin.Summary, string) {
	t.Helper()
	f := New(opt)
	for i, raw := range records {
		var e signin.Event
		if shape, err := read.DecodeEvent([]byte(raw), &e); err != nil || shape == read.ShapeNone {
			t.Fatalf("no sign-in: %s", raw)
		}
		f.Add(&e, signin.SourceRef{Source: evidence.Source{Path: "in", Line: i + 1}})
	}
	var csv bytes.Buffer
	s, err := f.Finish(t.Context(), &csv)
	if err != nil {
		t.Fatal(err)
	}
	return s, csv.String()
}

func rowAt(clock, id string) string {
	return fmt.Sprintf(`{"CreatedDateTime":%q,"Id":%q,"UserPrincipalName":"%s@x.example","AppDisplayName":"x","Status":"0","ClientAppUsed":"IMAP4"}`, clock,
		id, id)
}

// The whole input decides the order of day and month, wherever the row stands
// that tells; what nothing decides is said and never dropped.
func TestClocksOfTheWholeInput(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 10, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		clocks []string
		want   string // clocks of the rows that are counted
		out    int64
		notes  int
	}{
		{[]string{"03/11/2026 07:22:01", "25/11/2026 08:00:00", "12/11/2026 23:10:00"}, "2026-11-25T08:00:00Z 2026-11-12T23:10:00Z", 1, 0},
		{[]string{"11/03/2026 07:22:01", "12/11/2026 23:10:00", "11/25/2026 08:00:00"}, "2026-12-11T23:10:00Z 2026-11-25T08:00:00Z", 1, 0},
		{[]string{"03/11/2026 07:22:01", "12/11/2026 23:10:00"}, "03/11/2026 07:22:01 12/11/2026 23:10:00", 0, 1},
		{[]string{"03/11/2026 07:22:01", "25/11/2026 08:00:00", "11/25/2026 08:00:00"}, "03/11/2026 07:22:01 2026-11-25T08:00:00Z 2026-11-25T08:00:00Z", 0, 1},
		{[]string{"11/11/2026 07:22:01"}, "2026-11-11T07:22:01Z", 0, 0},
		{[]string{"3.11.2026 07:22:01", "12.11.2026 07:22:01"}, "2026-11-12T07:22:01Z", 1, 0},
		{[]string{"11/12/2026, 3:04:05\u202fPM", "11/25/2026, 3:04:05\u202fPM"}, "2026-11-12T15:04:05Z 2026-11-25T15:04:05Z", 0, 0},
	} {
		var records []string
		for i, clock := range c.clocks {
			records = append(records, rowAt(clock, fmt.Sprint("id", i)))
		}
		s, csv := foldRows(t, Options{CSV: true, Since: since}, records...)
		var got []string
		for _, line := range strings.Split(csv, "\n")[1:] {
			if cells := strings.Split(line, ","); len(cells) > 3 {
				got = append(got, cells[2])
			}
		}
		if strings.Join(got, " ") != c.want || s.OutOfRange != c.out || len(s.Clocks) != c.notes || s.Duplicates != 0 {
			t.Errorf("%q:\n%q, %d out of range, %d notes, %d copies", c.clocks, got, s.OutOfRange, len(s.Clocks), s.Duplicates)
		}
	}
}

// A prompt and its success belong together also where clocks are read late.
func TestLatePrompts(t *testing.T) {
	t.Parallel()
	row := func(clock, id, status string) string {
		return fmt.Sprintf(`{"CreatedDateTime":%q,"Id":%q,"UserPrincipalName":"a@x.example","AppDisplayName":"x","Status":%q,"CorrelationId":"c","ClientAppUsed":"Browser"}`, clock, id, status)
	}
	s, _ := foldRows(t, Options{}, row("03/11/2026 07:22:01", "p", "50074"), row("03/11/2026 07:23:01", "s", "0"), row("25/11/2026 08:00:00", "x", "0"))
	if s.Reasons[signin.ReasonPromptCompleted] != 1 {
		t.Errorf("%v", s.Reasons)
	}
}

const portalRow = `{"Date (UTC)":"2026-11-20T08:00:00Z","Request ID":%q,"Username":"%s@x.example","Application":"x","Status":%q,"Client app":"Browser","Authentication requirement":"Single-factor authentication"}`

func detailRow(id, method, requirement string) string {
	return fmt.Sprintf(`{"Request ID":%q,"Date (UTC)":"2026-11-20T08:00:00Z","Authentication method":%q,"Authentication method detail":"","Succeeded":"true","Result detail":"","Requirement":%q}`, id, method, requirement)
}

// The steps of another file decide the rows they belong to, whatever comes
// first; they are never counted themselves.
func TestJoinSteps(t *testing.T) {
	t.Parallel()
	ids := []string{"20fe23e9-ce46-5ed9-8df3-3bc8c864bc65", "a17714a4-150d-52ad-a16b-0cb5aa04edbb", "b17714a4-150d-52ad-a16b-0cb5aa04edbb",
		"c17714a4-150d-52ad-a16b-0cb5aa04edbb", "e17714a4-150d-52ad-a16b-0cb5aa04edbb"}
	records := []string{
		fmt.Sprintf(portalRow, ids[0], "hello", "Success"), detailRow(strings.ToUpper(ids[0]), "Windows Hello for Business", "Primary authentication"),
		fmt.Sprintf(portalRow, ids[1], "password", "Success"), detailRow(ids[1], "Password", "Primary authentication"),
		fmt.Sprintf(portalRow, ids[2], "code", "Success"), detailRow(ids[2], "Password", "Primary authentication"),
		detailRow(ids[2], "Text message", "Multifactor authentication"),
		fmt.Sprintf(portalRow, ids[3], "failed", "Failure"), detailRow(ids[3], "Password", "Primary authentication"),
		fmt.Sprintf(portalRow, ids[4], "without", "Success"),
		detailRow("d17714a4-150d-52ad-a16b-0cb5aa04edbb", "Password", "Primary authentication"), // of a sign-in that is not here
		detailRow(ids[1], "Password", "Primary authentication"),                                 // the same file twice
	}
	r := rand.New(rand.NewPCG(1, 7))
	for range 20 {
		r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		s, csv := foldRows(t, Options{CSV: true, Keep: func(_ *signin.Event, j signin.Judgement) bool { return j.Verdict == signin.NotChallenged }}, records...)
		if s.Rows != 5 || s.Verdicts.Of(signin.Challenged) != 2 || s.Verdicts.Of(signin.NotChallenged) != 1 || s.Verdicts.Of(signin.Failed) != 1 ||
			s.Verdicts.Of(signin.Unknown) != 1 || s.OrphanSteps != 1 || s.Duplicates != 0 {
			t.Fatalf("%+v", s)
		}
		if lines := strings.Split(csv, "\n"); len(lines) != 3 || !strings.HasPrefix(lines[1], "password@x.example,") {
			t.Fatalf("%q", csv)
		}
	}
}
