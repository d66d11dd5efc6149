//go:build !judge

package doorbell

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"partnerguard/internal/msapi"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Center is Partner Center, as its webhook is registered there.
type Center interface {
	WebhookEvents(context.Context) ([]string, error)
	Webhook(context.Context) (msapi.Registration, error)
	RegisterWebhook(ctx context.Context, r msapi.Registration, change bool) (msapi.Registration, error)
	TestWebhook(context.Context) (string, error)
	TestedWebhook(ctx context.Context, id string) (msapi.WebhookTest, error)
}

// Wanted are the events that this program is rung for.
func Wanted() []string { return []string{"azure-fraud-event-detected", "test-created"} }

// Registered is what is registered at Partner Center; false where nothing is.
func Registered(ctx context.Context, c Center) (msapi.Registration, bool, error) {
	r, err := c.Webhook(ctx)
	if e, is := errors.AsType[*msapi.APIError](err); is && e.Status == http.StatusNotFound {
		return r, false, nil
	}
	return r, err == nil && r.URL != "", err
}

// Register has Partner Center ring at an address. There is one webhook a partner: events that
// are registered for the same address stay; one of another address is replaced only when that
// is wanted, kind problem.Conflict else. changed is false where all of it was so already.
func Register(ctx context.Context, c Center, where string, replace bool) (r msapi.Registration, changed bool, err error) {
	if err := reachable(where); err != nil {
		return r, false, err
	}
	was, has, err := Registered(ctx, c)
	if err != nil {
		return r, false, err
	}
	if has && !strings.EqualFold(was.URL, where) && !replace {
		return was, false, problem.New(problem.Conflict, "Partner Center rings elsewhere already: %s", print.Clean(was.URL, 200)).
			WithHint("a partner has one webhook; --replace takes its place, and whoever listens there hears no more")
	}
	want := msapi.Registration{URL: where, OwnHeader: true, Events: Wanted()}
	if has {
		for _, e := range was.Events {
			if strings.EqualFold(was.URL, where) && !slices.ContainsFunc(want.Events, func(w string) bool { return strings.EqualFold(w, e) }) {
				want.Events = append(want.Events, e)
			}
		}
		if strings.EqualFold(was.URL, where) && len(was.Events) == len(want.Events) {
			return was, false, nil
		}
	}
	known, err := c.WebhookEvents(ctx)
	if err != nil {
		return r, false, err
	}
	for _, w := range Wanted() {
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, w) }) {
			return r, false, problem.New(problem.Conflict, "Partner Center has no event %s in this cloud", w).WithHint("alerts are read every few minutes without it")
		}
	}
	r, err = c.RegisterWebhook(ctx, want, has)
	return r, err == nil, err
}

// reachable refuses what Partner Center cannot call.
func reachable(where string) error {
	u, err := url.Parse(where)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" || len(where) > 2<<10 {
		return problem.New(problem.Usage, "%.80q is no address that Partner Center can call", where).WithHint("set publicURL, such as https://guard.contoso.example")
	}
	return nil
}

// Remove ends our events. Partner Center has no call that ends a registration: others' events
// stay, and where there are none test-created alone is left, which nobody sends by itself.
func Remove(ctx context.Context, c Center, where string) (r msapi.Registration, changed bool, err error) {
	was, has, err := Registered(ctx, c)
	switch {
	case err != nil:
		return r, false, err
	case !has:
		return r, false, nil
	case !strings.EqualFold(was.URL, where):
		return was, false, problem.New(problem.Conflict, "Partner Center rings elsewhere: %s", print.Clean(was.URL, 200)).WithHint("that registration is not ours, and stays")
	}
	want := was
	want.Events = nil
	for _, e := range was.Events {
		if !strings.HasPrefix(strings.ToLower(e), "azure-fraud") {
			want.Events = append(want.Events, e)
		}
	}
	if len(want.Events) == len(was.Events) {
		return was, false, nil
	}
	if len(want.Events) == 0 {
		want.Events = []string{"test-created"}
	}
	r, err = c.RegisterWebhook(ctx, want, true)
	return r, err == nil, err
}
