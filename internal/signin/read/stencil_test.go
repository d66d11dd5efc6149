package read

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"partnerguard/internal/jsonscan"
	"partnerguard/internal/signin"
	"partnerguard/internal/signin/signintest"
)

// slacked is raw with bytes behind it that would go on with what it ends in.
func slacked(raw []byte) []byte {
	b := append(make([]byte, 0, len(raw)+jsonscan.Slack), raw...)
	rest := b[len(b):cap(b)]
	for i := range rest {
		rest[i] = `5"}]`[i&3]
	}
	return b
}

// Records of one make, with values that differ, are stamped, and as the oracle reads them.
func TestStampedRecordsAgree(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 8))
	some := func(good, all int) int { // now and then one that is not valid
		if r.IntN(30) > 0 {
			all = good
		}
		return r.IntN(all)
	}
	text := func() string {
		return []string{"", "a", "Ada", `\u00e9\n`, "Åke", `a\"b`, strings.Repeat("long ", 30), `\ud83d\ude00`, strings.Repeat("y", 31),
			strings.Repeat("z", 32) + `\\`, `\ud83d`, "\xff", "x\x01", `\q`}[some(10, 14)]
	}
	number := func() string {
		return []string{"0", "17", "50074", "-1.5", "12.25", "0.123456789012", "123456789012345678", "null", "true", "99999999999",
			"1e3", "01", "1.", "-"}[some(10, 14)]
	}
	for range 40 {
		record := func() []byte {
			steps := []string{`{"authenticationMethod":"Password","succeeded":true}`, `{"authenticationMethod":"` + text() + `","succeeded":` + number() + `}`}
			return fmt.Appendf(nil, `{"id":"%s","createdDateTime":"2026-11-1%dT10:00:00Z","userDisplayName":"%s","appId":"app","category":"SignInLogs",`+
				`"autonomousSystemNumber":%s,"status":{"errorCode":%s,"failureReason":"%s"},"isInteractive":%v,"signInEventTypes":["%s","x"],"risk":"none",`+
				`"authenticationDetails":[%s],"appliedConditionalAccessPolicies":[{"displayName":"%s","result":"success","enforcedGrantControls":["Mfa","%s"]}]}`,
				text(), r.IntN(10), text(), number(), number(), text(), r.IntN(2) == 0, text(), strings.Join(steps[:1+r.IntN(2)], ","), text(), text())
		}
		var d Decoder
		d.makes.eager = true
		for range 200 {
			agree(t, &d, slacked(record()))
		}
		if d.makes.fitted < 40 {
			t.Fatalf("only %d of 200 fitted a make", d.makes.fitted)
		}
	}
}

// A record in a make's own place is read the same after others: nothing of them stays.
func TestStampLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	var d Decoder
	d.makes.eager = true
	var lines [][]byte
	for i := range 12 {
		plain := fmt.Sprintf(`{"id":"%d","createdDateTime":"2026-11-11T10:00:00Z","userId":"u%d","appId":"a","category":"SignInLogs"}`, i, i)
		wrapped := fmt.Sprintf(`{"time":"2026-11-11T10:00:0%dZ","category":"SignInLogs","properties":{"id":"p%d","userId":"u","appId":"a",`+
			`"authenticationDetails":[{"authenticationMethod":"m%d"}]}}`, i%10, i, i)
		lines = append(lines, slacked([]byte(plain)), slacked([]byte(wrapped)))
	}
	for _, raw := range append(lines, lines...) {
		var got, want signin.Event
		shape, err := d.Decode(raw, &got)
		wantShape, _ := DecodeEvent(raw, &want)
		if err != nil || shape != wantShape || !reflect.DeepEqual(signintest.Clone(&got), signintest.Clone(&want)) {
			t.Fatalf("%s: %v %v\n%+v\n%+v", raw, shape, err, got, want)
		}
	}
	if d.makes.fitted < 30 {
		t.Errorf("only %d fitted a make", d.makes.fitted)
	}
}

// Input in which no record is like another is soon no longer tried, and memory is bounded.
func TestMakesAreBounded(t *testing.T) {
	t.Parallel()
	var d Decoder
	d.makes.eager = true
	var e signin.Event
	for i := range 4000 {
		raw := fmt.Appendf(nil, `{"id":"%d","createdDateTime":"2026-11-11T10:00:00Z","userId":"u","appId":"a","category":"SignInLogs"%s}`, i,
			strings.Repeat(`,"x":[]`, i%60))
		if _, ok := d.fast(slacked(raw), &e); !ok {
			t.Fatalf("%s", raw)
		}
	}
	if len(d.makes.list) > maxMakes || len(d.templates.list) > maxTemplates {
		t.Errorf("%d makes, %d templates", len(d.makes.list), len(d.templates.list))
	}
	long := fmt.Appendf(nil, `{"id":"1","createdDateTime":"2026-11-11T10:00:00Z","userId":"%s"}`, bytes.Repeat([]byte("u"), maxSample))
	for range 4 {
		agree(t, &d, long)
	}
	for _, k := range d.makes.list {
		if len(k.sample) > maxSample {
			t.Errorf("a sample of %d bytes is kept", len(k.sample))
		}
	}
}
