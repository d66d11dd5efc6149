package msapi_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"testing"

	"partnerguard/internal/msapi"
	"partnerguard/internal/problem"
	"partnerguard/internal/secret"
)

const aCustomer, aSub = "22222222-2222-4222-8222-222222222222", "33333333-3333-4333-8333-333333333333"

// What Partner Center says of a budget is an amount, none, or not readable: never taken for none.
func TestSpendingBudget(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"amount":500.5,"attributes":{"objectType":"SpendingBudget"}}`: "500.5",
		`{"amount":null,"attributes":{"objectType":"SpendingBudget"}}`:  "none",
		`{"attributes":{"objectType":"SpendingBudget"}}`:                "none",
		`{"amount":0}`:     "0",
		`{"amount":"500"}`: "error", `{"amount":{}}`: "error", `{}`: "error", `[]`: "error", `null`: "error", ``: "error", `{"amount":1e999}`: "error",
		`{"attributes":{"objectType":"Customer"}}`: "error",
	} {
		_, p := clientsOf(t, &wired{answer: func(*http.Request, int) *http.Response { return answered(200, body) }})
		v, err := p.SpendingBudget(t.Context(), aCustomer)
		got := "none"
		if err != nil {
			got = "error"
		} else if v != nil {
			raw, _ := json.Marshal(*v)
			got = string(raw)
		}
		if got != want {
			t.Errorf("%s is %s (%v), and should be %s", body, got, err, want)
		}
	}
}

// A budget is set and taken away by the documented body, at that customer alone.
func TestSetSpendingBudget(t *testing.T) {
	t.Parallel()
	w := &wired{answer: func(*http.Request, int) *http.Response { return answered(200, `{}`) }}
	_, p := clientsOf(t, w)
	v := 99.5
	for _, amount := range []*float64{&v, nil} {
		if err := p.SetSpendingBudget(t.Context(), strings.ToUpper(aCustomer), amount); err != nil {
			t.Fatal(err)
		}
	}
	want := "PATCH /v1/customers/" + aCustomer + `/usagebudget {"Amount":99.5,"Attributes":{"ObjectType":"SpendingBudget"}}` +
		"\nPATCH /v1/customers/" + aCustomer + `/usagebudget {"Amount":null,"Attributes":{"ObjectType":"SpendingBudget"}}`
	if got := strings.Join(w.bodies, "\n"); got != want {
		t.Errorf("%s", got)
	}
	for _, x := range []float64{-1, math.NaN(), math.Inf(1)} {
		if err := p.SetSpendingBudget(t.Context(), aCustomer, &x); !errors.Is(err, problem.Usage) {
			t.Errorf("%v: %v", x, err)
		}
	}
	if err := p.SetSpendingBudget(t.Context(), "../x", nil); !errors.Is(err, problem.Usage) || len(w.bodies) != 2 {
		t.Error(err)
	}
}

// A budget of Azure's that is not there is told from a subscription that is not seen.
func TestConsumption(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		found  bool
		ok     bool
	}{
		"there":                {200, `{"eTag":"\"1\"","properties":{"amount":5}}`, true, true},
		"not there":            {404, `{"error":{"code":"404","message":"x"}}`, false, true},
		"no subscription":      {404, `{"error":{"code":"SubscriptionNotFound","message":"x"}}`, false, false},
		"no right":             {403, `{"error":{"code":"RBACAccessDenied","message":"x"}}`, false, false},
		"without properties":   {200, `{"eTag":"1"}`, false, false},
		"properties of a text": {200, `{"properties":"x"}`, false, false},
		"no JSON":              {200, `<html>`, false, false},
	} {
		w := &wired{answer: func(*http.Request, int) *http.Response { return answered(c.status, c.body) }}
		api := msapi.New(msapi.Options{Transport: w, Tries: 1})
		t.Cleanup(api.Close)
		x, err := api.Consumption(msapi.Commercial(), aCustomer, msapi.Fixed(secret.New(aToken)))
		if err != nil {
			t.Fatal(err)
		}
		_, found, err := x.Budget(t.Context(), aSub, "partnerguard")
		if found != c.found || (err == nil) != c.ok {
			t.Errorf("%s: %v %v", name, found, err)
		}
		if _, _, err := x.Budget(t.Context(), aSub, "../../x"); !errors.Is(err, problem.Usage) {
			t.Errorf("a name that leaves its place: %v", err)
		}
	}
}
