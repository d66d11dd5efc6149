package factor_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/factor"
	"partnerguard/internal/secret"
)

var every = []string{"face", "fido", "fpt", "hwk", "iris", "otp", "pop", "retina", "sc", "sms", "swk", "tel", "vbm"}

// TestAnswers has a row for each of the seven acr values, and the odd ones.
func TestAnswers(t *testing.T) {
	t.Parallel()
	both := []string{"fido", "otp"}
	for _, row := range []struct {
		acr, amr []string
		accept   []string
		with     string // the acr of the answer
		refused  string // a part of it
		first    factor.Type
	}{
		{[]string{"possessionorinherence"}, every, both, "possessionorinherence", "", factor.Knowledge},
		{[]string{"knowledgeorpossession"}, every, both, "knowledgeorpossession", "", factor.Inherence},
		{[]string{"knowledgeorinherence"}, every, nil, "", "knowledge or inherence", factor.Possession},
		{[]string{"knowledgeorpossessionorinherence"}, every, both, "knowledgeorpossessionorinherence", "", ""},
		{[]string{"knowledge"}, every, nil, "", "knowledge", ""},
		{[]string{"possession"}, every, both, "possession", "", ""},
		{[]string{"inherence"}, every, nil, "", "inherence", ""},

		{[]string{"inherence", "possession"}, every, both, "possession", "", ""},
		{[]string{"urn:x", "possession"}, every, both, "possession", "", ""},
		{[]string{"urn:x"}, every, nil, "", "none of the seven", ""},
		{[]string{"Possession"}, every, nil, "", "none of the seven", ""},
		{[]string{""}, every, nil, "", "none of the seven", ""},
		{nil, every, nil, "", "no acr", ""},
		{[]string{"possession"}, []string{"otp"}, []string{"otp"}, "possession", "", ""},
		{[]string{"possession"}, []string{"fido", "face"}, []string{"fido"}, "possession", "", ""},
		{[]string{"possession"}, []string{"face", "sms", "OTP"}, nil, "", "neither fido nor otp", ""},
		{[]string{"possession"}, nil, nil, "", "neither fido nor otp", ""},
	} {
		accept, acr, refused := factor.Answers(row.acr, row.amr)
		if !slices.Equal(accept, row.accept) || (refused == "") != (row.refused == "") || !strings.Contains(refused, row.refused) {
			t.Errorf("%v %v: %v, %q", row.acr, row.amr, accept, refused)
		}
		for _, a := range accept {
			if acr(a) != row.with {
				t.Errorf("%v: acr of %s is %q, want %q", row.acr, a, acr(a), row.with)
			}
			if factor.Types()[a] == factor.FirstFactor(row.with) {
				t.Errorf("%v: %s is of the first factor's type", row.acr, a)
			}
		}
		for _, a := range []string{"sms", "face", "", "fido otp"} {
			if acr(a) != "" {
				t.Errorf("%v: %q may answer", row.acr, a)
			}
		}
		if len(row.acr) == 1 && factor.FirstFactor(row.acr[0]) != row.first {
			t.Errorf("%v: the first factor is %q", row.acr, factor.FirstFactor(row.acr[0]))
		}
	}
	if len(factor.Types()) != len(every) || len(factor.ACRs()) != 7 {
		t.Error("the tables of amr and acr are not whole")
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	all := factor.Codes(10)
	seen := map[string]bool{}
	for _, c := range all {
		p := c.Reveal()
		if len(p) != 11 || p[5] != '-' || seen[p] || strings.ContainsAny(p, "ilou") {
			t.Errorf("%q is no code, or is there twice", p)
		}
		seen[p] = true
		for _, typed := range []string{p, strings.ToUpper(p), strings.ReplaceAll(p, "-", ""), " " + strings.ReplaceAll(p, "-", " - ") + "\r\n",
			strings.ReplaceAll(p, "0", "O"), strings.ReplaceAll(p, "1", "l"), strings.ReplaceAll(p, "1", "I")} {
			if got, ok := factor.ReadCode(secret.New(typed)); !ok || !got.Equal(c) {
				t.Errorf("%q is read as %q", typed, got.Reveal())
			}
		}
	}
	if len(all) != 10 || len(factor.Codes(-1)) != 0 || len(factor.Codes(1000)) != 100 {
		t.Error("the number of codes is another than asked for")
	}
	for _, typed := range []string{
		"", "-", "abcde-fghj", "abcde-fghjkm", "abcde-fghjü", "abcde-fghj!", strings.Repeat("a", 65), "abcde\x00fghjk", "uuuuu-uuuuu",
	} {
		if got, ok := factor.ReadCode(secret.New(typed)); ok {
			t.Errorf("%q is taken as %q", typed, got.Reveal())
		}
	}
}

func TestSlow(t *testing.T) {
	t.Parallel()
	s := factor.Slow{Free: 2, First: time.Minute, Most: 8 * time.Minute, Forget: time.Hour}
	now := time.Unix(1e9, 0)
	var f factor.Failures
	for i, want := range []time.Duration{0, 0, 1, 2, 4, 8, 8, 8} {
		f = s.Failed(f, now)
		if got := s.Wait(f, now); got != want*time.Minute {
			t.Errorf("after %d: %s, want %d min", i+1, got, want)
		}
	}
	if got := s.Wait(f, now.Add(3*time.Minute)); got != 5*time.Minute {
		t.Errorf("three minutes later: %s", got)
	}
	if got := s.Wait(f, now.Add(-time.Hour)); got != 8*time.Minute {
		t.Errorf("with the clock set back: %s", got)
	}
	if got := s.Left(f, now.Add(3*time.Hour)); got != 5 {
		t.Errorf("after three hours %d are left", got)
	}
	if got := s.Left(f, now.Add(1000*time.Hour)); got != 0 {
		t.Errorf("after long %d are left", got)
	}
	if got := s.Wait(factor.Failures{Count: 1 << 40, Last: now}, now); got != s.Most {
		t.Errorf("of very many: %s", got)
	}
}

// TestLockoutSparesTheVictim: an attacker from ever new addresses, at the pace of the
// waits, for a day. The victim's own browser never waits; the attacker gets few tries.
func TestLockoutSparesTheVictim(t *testing.T) {
	t.Parallel()
	l := factor.UsualLockout()
	now := time.Unix(1e9, 0)
	end := now.Add(24 * time.Hour)
	var account factor.Failures
	tries := 0
	for now.Before(end) {
		b := factor.Buckets{Strangers: account} // a new address: empty buckets of its own
		wait, why := l.Wait(false, b, now)
		if (wait > 0) != (why != "") {
			t.Fatalf("%s, %q", wait, why)
		}
		if now = now.Add(wait); wait == 0 {
			account, tries = l.Failed(false, b, now).Strangers, tries+1
			now = now.Add(time.Second)
		}
		if wait, _ := l.Wait(true, factor.Buckets{Strangers: account}, now); wait != 0 {
			t.Fatalf("the victim waits %s", wait)
		}
	}
	if tries > 45 || tries < 10 {
		t.Errorf("the attacker has %d tries in a day", tries)
	}
	b := factor.Buckets{}
	for range 6 {
		b = l.Failed(true, b, now)
	}
	if b.Strangers.Count != 0 {
		t.Error("a known browser makes strangers of its person")
	}
	if wait, _ := l.Wait(true, b, now); wait == 0 {
		t.Error("a known browser may guess for ever")
	}
	if p := l.Passed(b); p.Own.Count != 0 || p.Source.Count != 6 {
		t.Errorf("a right answer leaves %+v", p)
	}
}
