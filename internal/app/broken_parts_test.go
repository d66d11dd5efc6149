package app_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/app"
	"partnerguard/internal/collect"
	"partnerguard/internal/coverage"
	"partnerguard/internal/customers"
	"partnerguard/internal/jobs"
	"partnerguard/internal/people"
	"partnerguard/internal/posture"
	"partnerguard/internal/practice"
	practices "partnerguard/internal/practice/pages"
	"partnerguard/internal/screen"
	"partnerguard/internal/screen/screentest"
	"partnerguard/internal/signins"
	"partnerguard/internal/web"
)

// filled is a part full of hostile texts and numbers.
func filled[T any](i int) any {
	v := new(T)
	screentest.Fill(i, v)
	return v
}

// parts are what pages show, by name: each made of what nobody of ours wrote.
var parts = map[string]func(int) any{people.PartName: filled[people.Part], coverage.PartName: filled[coverage.Part], signins.PartName: filled[signins.Part],
	posture.StatusPartName: filled[posture.StatusPart], alert.PartName: filled[alert.Part], customers.PartName: filled[customers.Part],
	customers.OwnName: filled[customers.OwnPart], practices.PartName: filled[practice.Report]}

// operator is whoever runs the machine, in the console of an installation that knows the
// tenants.
func operator(t *testing.T) (*visitor, []screen.Screen) {
	t.Helper()
	o := newPlace(t).options(false)
	o.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})) // what a 500 hides
	s, err := app.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	h, err := s.Serve(t.Context(), app.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	k, _ := h.(*web.Kernel)
	q, err := jobs.Open(t.Context(), s.DB, jobs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]string{"zzp": "cccccccc-3333-4333-8333-cccccccccccc", "zza": "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa"}
	v := &visitor{planted: &planted{TB: t, s: s, of: of}, k: k, jar: map[string]string{}}
	where, err := s.Console.Link(t.Context(), "local:owner", matrixHome)
	if err != nil {
		t.Fatal(err)
	}
	v.submit(strings.TrimPrefix(where, matrixHome), url.Values{})
	return v, s.ScreensWith(q)
}

// pages asks for every page of every tenant, and tells those that break.
func (v *visitor) pages(screens []screen.Screen, what string) {
	v.Helper()
	for i := range screens {
		for _, tenant := range []string{"", v.of["zza"]} {
			where := screen.With("/"+screens[i].Name, "tenant", tenant)
			w := v.do("GET", where, nil)
			switch {
			case w.Code == http.StatusServiceUnavailable && strings.Contains(w.Body.String(), "partnerguard collect --now"):
			case w.Code >= 500:
				v.Errorf("%s: %s: %d %.300s", what, where, w.Code, strings.Join(strings.Fields(tagOf.ReplaceAllString(w.Body.String(), " ")), " "))
			default:
				screentest.Hold(v, what+": "+where, w.Body.String())
			}
		}
	}
}

// TestBrokenParts: parts of a snapshot that another program made, or that somebody wrote
// into the database, break no page: what cannot be shown is said, with what to do.
func TestBrokenParts(t *testing.T) {
	t.Parallel()
	v, screens := operator(t)
	ctx, at := t.Context(), v.s.Now()
	v.pages(screens, "nothing is known")
	v.ok(v.s.Collect.Known(ctx, []collect.Tenant{{ID: v.of["zzp"], Domain: "contoso.example", Partner: true}, {ID: v.of["zza"], Name: "<b>"}}, true))
	v.ok(v.s.Collect.Known(ctx, []collect.Tenant{{ID: v.of["zzp"]}}, true)) // one is gone since
	v.pages(screens, "nothing was judged")
	for name, body := range map[string]any{"empty": struct{}{}, "null": nil, "a text": "rows", "a list": []int{1},
		"another form": map[string]any{"rows": "x", "at": 7, "who": 1}} {
		at = at.Add(time.Second)
		for part := range parts {
			v.ok(v.s.Snapshot.Put(ctx, v.of["zzp"], at, "", map[string]any{part: body}))
			v.ok(v.s.Snapshot.Put(ctx, v.of["zza"], at, "", map[string]any{part: body}))
		}
		v.pages(screens, name)
	}
	n := 24
	if testing.Short() {
		n = 3
	}
	for i := range n {
		at = at.Add(time.Second)
		for part, fill := range parts {
			v.ok(v.s.Snapshot.Put(ctx, v.of["zzp"], at, "", map[string]any{part: fill(i)}))
			v.ok(v.s.Snapshot.Put(ctx, v.of["zza"], at, "", map[string]any{part: fill(i + 1)}))
		}
		v.pages(screens, "hostile")
	}
}
